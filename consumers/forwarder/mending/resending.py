"""Trying dead letters again, when what was wrong with them has been mended."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass

from psycopg import Connection
from psycopg.rows import DictRow

from consumers.forwarder import dead_letters
from consumers.forwarder.dead_letters import DeadLetter
from consumers.forwarder.means import Means
from consumers.forwarder.sending import send
from consumers.forwarder.sinks.clickhouse import ClickHouseSink
from consumers.forwarder.sinks.of_route import sink_of
from consumers.forwarder.sinks.sink import Sink
from consumers.forwarder.topology import Route
from consumers.lock import FollowerLock

TOGETHER, APART = 1_000, 1_000
"""So many are sent to ClickHouse at once, if they are no farther from each other."""


@dataclass(frozen=True)
class Resent:
    """`delivered`: how many are in the sink now; `dead`: those that it still won't take, with the reason of today."""

    delivered: int
    dead: list[DeadLetter]


def resend(route: Route, means: Means, letters: Iterable[DeadLetter]) -> Resent:
    """Reads each event from the log again, while forwarding waits. Interrupted, it can be called again: what has
    arrived is not sent twice. A letter without a position has nothing in the log, and stays. In an archive each is a
    file of its own.
    """
    letters = list(letters)
    known = sorted((letter for letter in letters if letter.position is not None), key=_position)
    with closing(means.database.connect()) as connection, closing(sink_of(route, means)) as sink:
        if isinstance(sink, ClickHouseSink):
            sink.migrate()
        FollowerLock(connection, route.mender).wait()
        FollowerLock(connection, route.consumer).wait()
        dead = send_again(connection, sink, route, means, known)
    unknown = [letter for letter in letters if letter.position is None]
    return Resent(len(known) - len(dead), [*unknown, *dead])


def send_again(
    connection: Connection[DictRow], sink: Sink, route: Route, means: Means, letters: Sequence[DeadLetter]
) -> list[DeadLetter]:
    """The same by who has the sink's mender, of letters with a position, in order. Returns those that are dead still,
    with the reason of today.
    """
    shaper, still_dead = route.shaper(means.key), list[DeadLetter]()
    for run in _runs(letters) if isinstance(sink, ClickHouseSink) else ([letter] for letter in letters):
        positions = set(map(_position, run))
        missing = positions - sink.held(positions) if isinstance(sink, ClickHouseSink) else positions
        after, until = _position(run[0]) - 1, _position(run[-1])
        dead = send(connection, sink, shaper, after, until, f"again:{time.time_ns()}", only=missing)
        places = {letter.place for letter in dead}
        known = {(letter.place, letter.stage, letter.error) for letter in run}
        changed = [letter for letter in dead if (letter.place, letter.stage, letter.error) not in known]
        dead_letters.note(connection, route.consumer, changed)
        dead_letters.forget(connection, route.consumer, [one.place for one in run if one.place not in places])
        still_dead += dead
    return still_dead


def _runs(letters: Sequence[DeadLetter]) -> Iterator[list[DeadLetter]]:
    """What was refused before is sent by itself: several that are refused would look like a ClickHouse that takes
    nothing.
    """
    run = list[DeadLetter]()
    for letter in letters:
        if run and not (len(run) < TOGETHER and _go_together(run[-1], letter)):
            yield run
            run = []
        run.append(letter)
    if run:
        yield run


def _go_together(first: DeadLetter, second: DeadLetter) -> bool:
    return "insert" not in (first.stage, second.stage) and _position(second) <= _position(first) + APART


def _position(letter: DeadLetter) -> int:
    assert letter.position is not None
    return letter.position
