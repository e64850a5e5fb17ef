"""Charts: which there are, and what was found in the shape that the page draws."""

from __future__ import annotations

from collections.abc import Callable
from itertools import accumulate

from api.dashboards.selection import Selection
from infra.clickhouse.reader import Found

Shape = Callable[[Found, Selection], Found]


def table(found: Found, _: Selection) -> Found:
    """As it was found."""
    return found


def lines(found: Found, selection: Selection) -> Found:
    """Rows of time, line and value: for each step its time and the value of each line, 0 where there is none."""
    names = sorted({name for _, name, _ in found.rows})
    values = {(time, name): value for time, name, value in found.rows}
    return Found(
        ["time", *names], [[time, *(values.get((time, name), 0) for name in names)] for time in selection.times]
    )


def running(found: Found, selection: Selection) -> Found:
    """The same of growths: what they have come to at the end of each step."""
    columns, rows = lines(found, selection)
    sums = [accumulate(line) for line in list(zip(*rows, strict=True))[1:]]
    return Found(columns, [list(row) for row in zip(selection.times, *sums, strict=True)])


OPERATIONS: dict[str, Shape] = {
    "activity": lines,
    "waiting": running,
    "waits": lines,
    "errors": lines,
    "failures": lines,
    "messages": table,
}
CAMPAIGN: dict[str, Shape] = {
    "progress": running,
    "throughput": lines,
    "working_time": lines,
    "people": table,
    "labels": table,
    "stages": table,
    "durations": table,
    "span": table,
}
"""By the names of their statements, in the `.sql` file of the dashboard."""
