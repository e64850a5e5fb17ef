"""When a sink refuses a batch: is it the server's state, which passes, or an event, which never will?"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from itertools import groupby

from consumers.forwarder.dead_letters import DeadLetter
from consumers.forwarder.rows import COLUMNS, TableRow
from infra.clickhouse.client import ClickHouseRefused

ABOUT_DATA = frozenset({6, 26, 27, 33, 38, 41, 53, 69, 72, 117, 128, 131, 321, 349, 407, 469})
"""Codes that speak of values: cannot parse, type mismatch, out of range, too large, violated constraint."""

ABOUT_THE_SERVER = frozenset(
    {3, 16, 20, 44, 47, 60, 74, 75, 76, 81, 158, 159, 160, 164, 201, 202, 203, 209, 210, 218, 225, 236, 241, 242, 243,
     252, 254, 285, 286, 289, 319, 341, 394, 396, 439, 473, 497, 516, 517, 571, 999}
)  # fmt: skip
"""Codes of a state that somebody will end: unknown table or column, no access, time-out, memory, disk, too many parts,
read-only replica.
"""

UNRENDERABLE = (ValueError, TypeError, ArithmeticError)
"""What encoders raise for values that they have no form for; those of Arrow and of orjson are among them."""

AGAIN_SECONDS = (0.1, 0.2, 0.4, 0.8, 1.6)
"""Between the tries of what was refused for another reason than its values."""

TRIED_PARTS = 16
"""A batch of which not one in so many parts is taken is not refused for an event."""

POSITION = list(COLUMNS).index("position")

Put = Callable[[Sequence[TableRow], str], None]
Render = Callable[[Sequence[TableRow]], bytes]
Rows = list[TableRow]


def apart(
    rows: Sequence[TableRow], token: str, error: ClickHouseRefused, put: Put, answers: Callable[[], bool]
) -> list[DeadLetter]:
    """Halves a refused batch again and again until what is refused is single events. The same batch is always halved
    alike, under tokens that follow from its own. `answers`: whether the server takes an insert at all. Raises the error
    if it is not an event's fault: for a code that does not speak of values it is one's only when that is refused again
    and again, and others are taken in between.
    """
    if error.code in ABOUT_THE_SERVER:
        raise error
    refused, taken = _halved(_events(rows), token, error, put)
    for number, seconds in enumerate(AGAIN_SECONDS, 1):
        if not any(_is_doubtful(reason) for _, reason in refused):
            break
        time.sleep(seconds)
        for _ in range(number):  # not always as many, for servers that take turns
            if not (answers() if taken is None else _try(taken, token, put) is None):
                raise error
        refused = [still for one in refused if (still := _tried_again(one, token, put))]
    return [_dead_letter(event, reason.message) for event, reason in refused]


def _halved(
    events: list[Rows], token: str, error: ClickHouseRefused, put: Put
) -> tuple[list[tuple[Rows, ClickHouseRefused]], list[Rows] | None]:
    """The events that are refused, one by one, and the shortest run that was taken; None when none was."""
    refused, singles = [(events, error)], list[tuple[Rows, ClickHouseRefused]]()
    taken: list[Rows] | None = None
    while refused:
        smaller: list[tuple[list[Rows], ClickHouseRefused]] = []
        for run, reason in refused:
            if len(run) == 1:
                singles.append((run[0], reason))
                continue
            for half in (run[: len(run) // 2], run[len(run) // 2 :]):
                if complaint := _try(half, token, put):
                    smaller.append((half, complaint))
                elif taken is None or len(half) < len(taken):
                    taken = half
        if taken is None and len(smaller) >= TRIED_PARTS and _is_doubtful(error):
            raise error
        refused = smaller
    if taken is None and len(events) > 1 and _is_doubtful(error):
        raise error
    return sorted(singles, key=lambda single: single[0][0][POSITION]), taken


def _is_doubtful(error: ClickHouseRefused) -> bool:
    """Whether it is not known what the error speaks of."""
    return error.code not in ABOUT_DATA


def _tried_again(
    refused: tuple[Rows, ClickHouseRefused], token: str, put: Put
) -> tuple[Rows, ClickHouseRefused] | None:
    event, reason = refused
    if not _is_doubtful(reason):
        return refused
    complaint = _try([event], token, put)
    return None if complaint is None else (event, complaint)


def _try(run: list[Rows], token: str, put: Put) -> ClickHouseRefused | None:
    rows = [row for event in run for row in event]
    try:
        put(rows, f"{token}/{rows[0][POSITION]}-{rows[-1][POSITION]}")
    except ClickHouseRefused as error:
        if error.code in ABOUT_THE_SERVER:
            raise
        return error
    return None


def rendered(rows: Sequence[TableRow], render: Render) -> tuple[bytes, list[DeadLetter]]:
    """What `render` makes of the rows, but for those of events that it has no form for; nothing if all are such. The
    same of the same rows.
    """
    try:
        return render(rows), []
    except UNRENDERABLE:
        dead = list(_unrenderable(_events(rows), render))
    positions = {letter.position for letter in dead}
    good = [row for row in rows if row[POSITION] not in positions]
    return (render(good) if good else b""), dead


def _unrenderable(events: list[Rows], render: Render) -> Iterator[DeadLetter]:
    try:
        render([row for event in events for row in event])
    except UNRENDERABLE as error:
        if len(events) == 1:
            yield _dead_letter(events[0], f"{type(error).__name__}: {error}")
            return
        for half in (events[: len(events) // 2], events[len(events) // 2 :]):
            yield from _unrenderable(half, render)


def _events(rows: Sequence[TableRow]) -> list[Rows]:
    return [list(group) for _, group in groupby(rows, lambda row: row[POSITION])]


def _dead_letter(rows: Rows, reason: str) -> DeadLetter:
    return DeadLetter.at(rows[0][POSITION], "insert", reason)
