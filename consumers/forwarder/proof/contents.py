"""The contents of rows: every event is shaped again, and each cell of its rows compared with the one in ClickHouse.

Sums tell that every event is there once, and that it is the same event (inventory.py, fingerprints.py). This tells that
ClickHouse says of it what the log says, and takes as long as filling ClickHouse does.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import groupby
from typing import NamedTuple, cast

from clickhouse_connect.driver.client import Client
from psycopg import Connection
from psycopg.rows import DictRow

from consumers.forwarder.batch import Limits
from consumers.forwarder.proof import inventory
from consumers.forwarder.proof.inventory import Expected
from consumers.forwarder.rows import COLUMNS, Shaper, TableRow
from consumers.forwarder.sending import batches
from infra.clickhouse.client import typed_errors

LIMITS = Limits(rows=20_000, bytes=32 * 1024 * 1024)
"""Of what is in memory at once, from either side."""

NAMES = list(COLUMNS)
POSITION = NAMES.index("position")
CELLS = ", ".join("toUnixTimestamp64Milli(timestamp)" if name == "timestamp" else name for name in NAMES)

HELD = """
SELECT {cells} FROM {database}.events
WHERE position > {{after:UInt64}} AND position <= {{until:UInt64}}
ORDER BY position, row
"""


class Discrepancy(NamedTuple):
    """An event of which ClickHouse says something else than the log. `column`: the first that differs; None when rows
    are missing, or too many.
    """

    position: int
    column: str | None


def discrepancies(
    connection: Connection[DictRow],
    client: Client,
    database: str,
    shaper: Shaper,
    expected: Expected,
    until: int,
    progress: Callable[[int, int], object] = lambda _position, _until: None,
) -> Iterator[Discrepancy]:
    """Of all events up to `until` that ClickHouse has to hold or, though they may have expired, does, in order. Raises
    Unavailable, ClickHouseRefused.
    """
    lowest = inventory.take(client, database, 0, expected.floor).lowest  # 0: nothing is there
    for batch in batches(connection, shaper, lowest - 1 if lowest else expected.floor, until, LIMITS):
        _, first, last = batch.span
        held = _held(client, database, first, last)
        shaped = _without(expected, batch.rows, held, first, last)
        if shaped != held:
            yield from _different(shaped, held)
        progress(last, until)


def _held(client: Client, database: str, after: int, until: int) -> list[TableRow]:
    statement = HELD.format(cells=CELLS, database=database)
    with typed_errors():
        found = client.query(statement, parameters={"after": after, "until": until}).result_rows
    return cast(list[TableRow], found)


def _without(expected: Expected, rows: list[TableRow], held: list[TableRow], after: int, until: int) -> list[TableRow]:
    """Rows of events that could not be passed on are not expected, nor rows that may have expired and are not there."""
    absent = set(expected.absent[bisect_right(expected.absent, after) : bisect_right(expected.absent, until)])
    if after < expected.floor:
        absent |= set(range(after + 1, min(expected.floor, until) + 1)) - {row[POSITION] for row in held}
    return [row for row in rows if row[POSITION] not in absent] if absent else rows


def _different(shaped: list[TableRow], held: list[TableRow]) -> Iterator[Discrepancy]:
    of_log, of_clickhouse = _by_position(shaped), _by_position(held)
    for position in sorted(of_log.keys() | of_clickhouse.keys()):
        ours, theirs = of_log.get(position, []), of_clickhouse.get(position, [])
        if ours != theirs:
            yield Discrepancy(position, _column(ours, theirs) if len(ours) == len(theirs) else None)


def _by_position(rows: list[TableRow]) -> dict[int, list[TableRow]]:
    return {position: list(rows) for position, rows in groupby(rows, key=lambda row: cast(int, row[POSITION]))}


def _column(ours: list[TableRow], theirs: list[TableRow]) -> str | None:
    different = (
        name
        for pair in zip(ours, theirs, strict=True)
        for name, one, other in zip(NAMES, *pair, strict=True)
        if one != other
    )
    return next(different, None)
