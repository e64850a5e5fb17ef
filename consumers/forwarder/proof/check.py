"""The proof: does ClickHouse hold every event of the log exactly once? Used by `annals verify`, and all the time by the
forwarder itself.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from typing import cast

from clickhouse_connect.driver.client import Client
from psycopg import Connection
from psycopg.rows import DictRow

from consumers.forwarder.proof import fingerprints, inventory
from consumers.forwarder.proof.inventory import Expected
from consumers.forwarder.proof.remains import Remains, look
from infra.clickhouse import schema
from infra.clickhouse.schema import Layout
from infra.eventlog.reader import LogReader


@dataclass(frozen=True)
class Reconciliation:
    """What a comparison of the positions `after` < position <= `until` found.

    `expected`: events that the log has and ClickHouse ought to have; `held`: positions in ClickHouse; `doubled`: copies
    of events too many; `dead`: events in the range that could not be passed on; `expired`: those that are not there,
    and need not be, because their rows have expired; `beyond`: events behind the end of the log; `first_wrong`: the
    first position that is missing, doubled, not whole or another event in ClickHouse; `difference`: what is wrong, in
    words. The last two are None when there is nothing.
    """

    after: int
    until: int
    expected: int
    held: int
    doubled: int
    dead: int
    expired: int
    beyond: int
    first_wrong: int | None
    difference: str | None

    @property
    def equal(self) -> bool:
        return self.difference is None

    @property
    def missing(self) -> int:
        return max(0, self.expected - self.held)


def compare(
    connection: Connection[DictRow], client: Client, layout: Layout, expected: Expected, until: int, after: int = 0
) -> Reconciliation:
    """Compares the log with `events`: by sums over all of it, which read a few narrow columns; only when they differ,
    block by block down to the first position. What may have expired is compared event by event, as far as it is there.
    Then `events` with the tables that are filled from it. Events that became dead letters, or that only ClickHouse has,
    are a difference, but not a wrong position. Raises Unavailable, ClickHouseRefused.
    """
    if until <= after:  # a ClickHouse that was never written to has no table to ask
        return Reconciliation(after, until, 0, 0, 0, 0, 0, 0, None, None)
    certain = max(after, min(expected.floor, until))
    logged = _logged(connection, after, until)
    remains = look(connection, client, layout.database, expected, after, certain)
    held = inventory.take(client, layout.database, certain, until)
    wrong, difference = _first_wrong(connection, client, layout.database, expected, remains, certain, until)
    difference = difference or _of_tables_beside(client, layout, after, until)
    if logged != until - after:
        difference = f"the log holds {logged:,} events of positions {after + 1:,} to {until:,}"
    beyond = _beyond(connection, client, layout.database, until)
    dead = expected.dead[bisect_right(expected.dead, after) : bisect_right(expected.dead, until)]
    positions = remains.positions + held.positions
    expired = until - after - remains.positions - expected.count(certain, until) - len(dead)
    return Reconciliation(
        after=after,
        until=until,
        expected=logged - len(dead) - expired,
        held=positions,
        doubled=max(0, remains.events + held.events - positions),
        dead=len(dead),
        expired=max(0, expired),
        beyond=beyond,
        first_wrong=wrong,
        difference=difference or _of_dead_letters(dead) or _of_those_beyond(beyond),
    )


def _first_wrong(
    connection: Connection[DictRow],
    client: Client,
    database: str,
    expected: Expected,
    remains: Remains,
    after: int,
    until: int,
) -> tuple[int | None, str | None]:
    """The first wrong position of what remains and of `after` < position <= `until`, and what is wrong with it."""
    if remains.first_wrong is not None and remains.other:
        return remains.first_wrong, _other(remains.first_wrong)
    wrong = remains.first_wrong or inventory.first_wrong(client, database, expected, until, after)
    if wrong is not None:
        return wrong, _describe(client, database, wrong)
    wrong = fingerprints.first_different(connection, client, database, expected, after, until)
    return wrong, None if wrong is None else _other(wrong)


def _beyond(connection: Connection[DictRow], client: Client, database: str, until: int) -> int:
    """How many events ClickHouse has that the log does not have: it was restored to an earlier state."""
    highest = inventory.take(client, database, until, inventory.EVERYTHING).highest
    return max(0, highest - LogReader().head(connection))  # looked at second: what has arrived was in the log before


def _of_tables_beside(client: Client, layout: Layout, after: int, until: int) -> str | None:
    for name in schema.tables(layout)[1:]:
        if rows := schema.lacking(client, layout, name, after, until):
            return f"table {name} in ClickHouse lacks {rows:,} rows: see annals forward repair"
    return None


def _logged(connection: Connection[DictRow], after: int, until: int) -> int:
    row = connection.execute(
        "SELECT count(*) AS n FROM log.events WHERE position > %s AND position <= %s", (after, until)
    ).fetchone()
    return cast(int, row["n"]) if row else 0


def _of_dead_letters(dead: Sequence[int]) -> str | None:
    if not dead:
        return None
    others = f" and {len(dead) - 1:,} more" if len(dead) > 1 else ""
    return f"position {dead[0]}{others} could not be passed on: see annals forward dead-letters list"


def _of_those_beyond(number: int) -> str | None:
    if not number:
        return None
    return f"ClickHouse has {number:,} events behind the end of the log, which was restored: see annals forward repair"


def _other(position: int) -> str:
    return f"position {position} is another event in ClickHouse"


def _describe(client: Client, database: str, position: int) -> str:
    held = inventory.take(client, database, position - 1, position)
    if held.rows == 0:
        return f"position {position} is missing in ClickHouse"
    if held.events == 0:
        return f"position {position} has lost its first row in ClickHouse"
    if held.events > 1:
        return f"position {position} is in ClickHouse {held.events} times"
    return f"position {position} has {held.rows} rows in ClickHouse, not {held.expected_rows}"
