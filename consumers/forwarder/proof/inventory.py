"""What ClickHouse holds of a range of positions, and whether that is each event exactly once.

Every row says how many rows its event has, so a range can be judged by sums, without the log.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

from clickhouse_connect.driver.client import Client

from infra.clickhouse.client import typed_errors

# An event of n rows is whole when it has row 0 once, no row number twice or beyond n, and n rows in all. The sums of
# row numbers and of their squares, in one, catch what the counts alone would not: a row that is missing here and
# doubled there.
SUMS = """
    countIf(row = 0) AS events,
    groupBitmap(position) AS positions,
    min(position) AS lowest,
    max(position) AS highest,
    count() AS held_rows,
    sumIf(toUInt64(rows), row = 0) AS expected_rows,
    countIf(row >= rows) AS strays,
    sum(position * (row + 1000003 * toUInt64(row) * row)) AS weight,
    sumIf(
        position * (
            intDiv(toUInt64(rows) * (rows - 1), 2) + 1000003 * intDiv(toUInt64(rows) * (rows - 1) * (2 * rows - 1), 6)
        ),
        row = 0
    ) AS expected_weight
"""
TOTAL = "SELECT {sums} FROM {database}.events WHERE position > {{after:UInt64}} AND position <= {{until:UInt64}}"
BLOCKS = """
SELECT intDiv(position - {{after:UInt64}} - 1, {{size:UInt64}}) AS block, {sums} FROM {database}.events
WHERE position > {{after:UInt64}} AND position <= {{until:UInt64}} GROUP BY block ORDER BY block
"""
HELD = "SELECT DISTINCT position FROM {database}.events WHERE position IN ({positions})"
PARTS = 1_000
"""Into so many blocks a range is cut at each step of a search: three steps for a billion."""

ASKED = 10_000
"""Positions in one question: ClickHouse takes no longer ones than 256 KiB."""

EVERYTHING = 2**63 - 1


@dataclass(frozen=True)
class Expected:
    """Which positions ClickHouse has to hold: those behind `floor`, up to which all rows may have expired, except the
    `dead`, which could not be passed on, and the `expired`. Both are in order. `streams`: whether its rows name the
    streams as the log does.
    """

    floor: int = 0
    dead: Sequence[int] = ()
    expired: Sequence[int] = ()
    streams: bool = True

    @cached_property
    def absent(self) -> list[int]:
        """Those behind `floor` that need not be there, in order."""
        return sorted({position for position in (*self.dead, *self.expired) if position > self.floor})

    def excusing(self, until: int) -> Expected:
        """The same when nothing behind `until` can have expired, because it may never have been there."""
        expired = self.expired[: bisect_right(self.expired, until)]
        return replace(self, floor=min(self.floor, until), expired=expired)

    def count(self, after: int, until: int) -> int:
        """How many of `after` < position <= `until`."""
        after = max(after, self.floor)
        return max(0, until - after - bisect_right(self.absent, until) + bisect_right(self.absent, after))

    def reached(self, highest: int) -> int:
        """Up to where there is nothing more to expect when `highest` is the last position held."""
        highest = max(highest, self.floor)
        for position in self.absent[bisect_right(self.absent, highest) :]:
            if position != highest + 1:
                break
            highest = position
        return highest


@dataclass(frozen=True)
class Inventory:
    """Counts over the rows of a range. `positions`: distinct ones; `events`: rows that are the first of their event."""

    events: int
    positions: int
    lowest: int
    highest: int
    rows: int
    expected_rows: int
    strays: int
    weight: int
    expected_weight: int

    def is_exactly(self, positions: int) -> bool:
        """Whether the range holds so many positions, each of them whole and once."""
        return (
            self.events == self.positions == positions
            and self.rows == self.expected_rows
            and self.weight == self.expected_weight
            and self.strays == 0
        )


NOTHING = Inventory(0, 0, 0, 0, 0, 0, 0, 0, 0)


def take(client: Client, database: str, after: int, until: int) -> Inventory:
    """Counts `after` < position <= `until`. Raises Unavailable, ClickHouseRefused."""
    with typed_errors():
        (row,) = client.query(
            TOTAL.format(sums=SUMS, database=database), parameters={"after": after, "until": until}
        ).result_rows
    return Inventory(*row)


def held(client: Client, database: str, positions: Collection[int]) -> set[int]:
    """Those of which rows are there. Raises Unavailable, ClickHouseRefused."""
    found, some = set[int](), list(positions)
    for first in range(0, len(some), ASKED):
        named = ", ".join(map(str, some[first : first + ASKED]))
        with typed_errors():
            rows = client.query(HELD.format(database=database, positions=named)).result_rows
        found.update(position for (position,) in rows)
    return found


def first_wrong(client: Client, database: str, expected: Expected, until: int, after: int = 0) -> int | None:
    """The first position behind `after` that is missing, doubled or not whole; None when there is none."""
    after = max(after, expected.floor)
    if after >= until or take(client, database, after, until).is_exactly(expected.count(after, until)):
        return None
    while until - after > 1:
        after, until = _wrong_block(client, database, expected, after, until)
    return until


def _wrong_block(client: Client, database: str, expected: Expected, after: int, until: int) -> tuple[int, int]:
    """The first of PARTS blocks of a wrong range that is wrong itself, as (after, until)."""
    size = -(-(until - after) // PARTS)
    parameters: dict[str, Any] = {"after": after, "until": until, "size": size}
    with typed_errors():
        rows = client.query(BLOCKS.format(sums=SUMS, database=database), parameters=parameters).result_rows
    held = {block: Inventory(*sums) for block, *sums in rows}
    blocks = [(first, min(first + size, until)) for first in range(after, until, size)]
    for number, (first, last) in enumerate(blocks):
        if not held.get(number, NOTHING).is_exactly(expected.count(first, last)):
            return first, last
    # What was wrong a moment ago is right now: somebody writes. One block is as good as any to look at again.
    return blocks[-1]
