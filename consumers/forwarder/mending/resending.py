"""Trying dead letters again, when what was wrong with them has been mended."""

from __future__ import annotations

import time
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass

from consumers.forwarder import dead_letters
from consumers.forwarder.dead_letters import DeadLetter
from consumers.forwarder.means import Means
from consumers.forwarder.sending import send
from consumers.forwarder.sinks.clickhouse import ClickHouseSink
from consumers.forwarder.sinks.of_route import sink_of
from consumers.forwarder.topology import Route
from consumers.lock import FollowerLock


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
    shaper, delivered, dead = route.shaper(means.key), 0, list[DeadLetter]()
    with (
        closing(means.database.connect()) as connection,
        closing(sink_of(route, means)) as sink,
    ):
        if isinstance(sink, ClickHouseSink):
            sink.migrate()
        FollowerLock(connection, route.mender).wait()
        FollowerLock(connection, route.consumer).wait()
        for letter in letters:
            if letter.position is None:
                dead.append(letter)
                continue
            after = letter.position - 1
            held = isinstance(sink, ClickHouseSink) and sink.holds(letter.position)
            refused = [] if held else send(connection, sink, shaper, after, letter.position, f"again:{time.time_ns()}")
            if refused:
                dead_letters.note(connection, route.consumer, refused)
                dead += refused
            else:
                dead_letters.forget(connection, route.consumer, [letter.place])
                delivered += 1
    return Resent(delivered, dead)
