"""What is left of events whose rows may have expired: of each all rows, once, or none.

Sums can't tell that, because nobody knows how many there should be; so these are looked at one by one.
"""

from __future__ import annotations

from typing import NamedTuple

from clickhouse_connect.driver.client import Client
from psycopg import Connection
from psycopg.rows import DictRow

from consumers.forwarder.proof.fingerprints import of_held, of_logged
from consumers.forwarder.proof.inventory import Expected
from infra.clickhouse.client import typed_errors

AT_ONCE = 50_000
"""Positions."""

HELD = """
SELECT position, countIf(row = 0), {fingerprint},
    countIf(row = 0) = 1 AND count() = max(rows) AND min(rows) = max(rows)
        AND uniqExact(row) = count() AND max(row) < max(rows)
FROM {database}.events WHERE position > {{after:UInt64}} AND position <= {{until:UInt64}}
GROUP BY position ORDER BY position LIMIT {{number:UInt64}}
"""
LOGGED = "SELECT position, {fingerprint} AS sum FROM log.events WHERE position = ANY(%s) GROUP BY position"


class Remains(NamedTuple):
    """`positions`: distinct ones; `events`: rows that are the first of their event; `first_wrong`: of these positions
    the first that is doubled, not whole, or another event than in the log; `other`: whether it is the last of these.
    """

    positions: int = 0
    events: int = 0
    first_wrong: int | None = None
    other: bool = False


def look(
    connection: Connection[DictRow], client: Client, database: str, expected: Expected, after: int, until: int
) -> Remains:
    """Of `after` < position <= `until`, compared as is `expected`. Raises Unavailable, ClickHouseRefused."""
    found = Remains()
    statement = HELD.format(database=database, fingerprint=of_held(expected))
    of_log = LOGGED.format(fingerprint=of_logged(expected))
    while after < until:
        bounds = {"after": after, "until": until, "number": AT_ONCE}
        with typed_errors():
            rows = client.query(statement, parameters=bounds).result_rows
        if not rows:
            break
        after = rows[-1][0]
        positions = [position for position, *_ in rows]
        logged = {row["position"]: row["sum"] for row in connection.execute(of_log, (positions,))}
        wrong = (
            (position, bool(whole))
            for position, _, fingerprint, whole in rows
            if not whole or logged.get(position) != fingerprint
        )
        first, other = (found.first_wrong, found.other) if found.first_wrong else next(wrong, (None, False))
        events = found.events + sum(firsts for _, firsts, _, _ in rows)
        found = Remains(found.positions + len(rows), events, first, other)
    return found
