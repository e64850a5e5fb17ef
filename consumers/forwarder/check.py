"""The proof: does ClickHouse hold every event of the log exactly once? Used by `annals verify`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import cast

from clickhouse_connect.driver.client import Client
from psycopg import Connection
from psycopg.rows import DictRow

from consumers.forwarder import inventory


@dataclass(frozen=True)
class Reconciliation:
    """What a comparison of the positions 1..`until` found.

    `logged`: events in the log; `held`: positions in ClickHouse; `lowest`, `highest`: of those; `doubled`: copies of
    events too many; `first_wrong`: the first position that is missing, doubled or not whole in ClickHouse;
    `difference`: what is wrong, in words. The last two are None when there is nothing.
    """

    until: int
    logged: int
    held: int
    lowest: int
    highest: int
    doubled: int
    first_wrong: int | None
    difference: str | None

    @property
    def equal(self) -> bool:
        return self.difference is None

    @property
    def missing(self) -> int:
        return self.logged - self.held


def missing_positions(connection: Connection[DictRow], client: Client, until: int) -> Reconciliation:
    """Compares the log up to `until` with `cvat.events`: by sums over all of it, which read a few narrow columns;
    only when they differ, block by block down to the first position. Raises Unavailable, ClickHouseRefused.
    """
    if until == 0:  # a ClickHouse that was never written to has no table to ask
        return Reconciliation(0, 0, 0, 0, 0, 0, None, None)
    logged = _logged(connection, until)
    held = inventory.take(client, 0, until)
    wrong = inventory.first_wrong(client, 0, until)
    difference = None if wrong is None else _describe(client, wrong)
    if logged != until:
        difference = f"the log holds {logged:,} events, but its last position is {until:,}"
    return Reconciliation(
        until=until,
        logged=logged,
        held=held.positions,
        lowest=held.lowest,
        highest=held.highest,
        doubled=max(0, held.events - held.positions),
        first_wrong=wrong,
        difference=difference,
    )


def _logged(connection: Connection[DictRow], until: int) -> int:
    row = connection.execute("SELECT count(*) AS n FROM log.events WHERE position <= %s", (until,)).fetchone()
    return cast(int, row["n"]) if row else 0


def _describe(client: Client, position: int) -> str:
    held = inventory.take(client, position - 1, position)
    if held.rows == 0:
        return f"position {position} is missing in ClickHouse"
    if held.events == 0:
        return f"position {position} has lost its first row in ClickHouse"
    if held.events > 1:
        return f"position {position} is in ClickHouse {held.events} times"
    return f"position {position} has {held.rows} rows in ClickHouse, not {held.expected_rows}"
