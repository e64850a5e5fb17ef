"""Putting right what a comparison found: blocks of positions are taken out of ClickHouse and sent anew from the log."""

from __future__ import annotations

import time
from collections.abc import Iterable

import structlog
from psycopg import Connection
from psycopg.rows import DictRow

from consumers.forwarder import dead_letters
from consumers.forwarder.proof import fingerprints, inventory
from consumers.forwarder.proof.inventory import Expected
from consumers.forwarder.proof.remains import look
from consumers.forwarder.rows import Shaper
from consumers.forwarder.sending import send
from consumers.forwarder.sinks.clickhouse import ClickHouseSink

FIRST_BLOCK, LAST_BLOCK = 1_000, 100_000
"""Positions that are sent anew at once. More and more, for deleting in ClickHouse has a price of its own."""

Range = tuple[int, int]
"""Positions, from the first to the last."""

log = structlog.get_logger(__name__)


def repair(
    connection: Connection[DictRow],
    sink: ClickHouseSink,
    follower: str,
    shaper: Shaper,
    expected: Expected,
    until: int,
    named: Iterable[Range] = (),
) -> int:
    """Everything up to `until` that ClickHouse does not hold exactly once and as it is; what is `named`; and what the
    tables beside `events` lack. Nobody may be sending any of it meanwhile. Returns how many events were sent anew;
    those that ClickHouse won't take are the follower's dead letters. Raises Unavailable, ClickHouseRefused.
    """

    def send_anew(after: int, last: int) -> int:
        sink.delete(after, last)
        dead = send(connection, sink, shaper, after, last, f"repair:{time.time_ns()}")
        dead_letters.renew(connection, follower, after, last, dead)
        return last - after

    if sink.is_empty():  # with the rows that never expire, which are in the tables beside `events`
        expected = expected.excusing(0)
    events, block, after = 0, FIRST_BLOCK, 0
    while (wrong := first_wrong(connection, sink, expected, after, until)) is not None:
        after, last = wrong - 1, min(wrong - 1 + block, until)
        log.warning("ClickHouse differs from the log: sending anew", first=wrong, last=last)
        events += send_anew(after, last)
        after, block = last, min(block * 4, LAST_BLOCK)
    for first, last in named:
        for begin in range(first - 1, last, LAST_BLOCK):
            events += send_anew(begin, min(begin + LAST_BLOCK, last))
    sink.complete(0)
    return events


def first_wrong(
    connection: Connection[DictRow], sink: ClickHouseSink, expected: Expected, after: int, until: int
) -> int | None:
    """The first position behind `after` that is missing, doubled, not whole or another event in ClickHouse."""
    database = sink.layout.database
    remains = look(connection, sink.client, database, expected, after, min(expected.floor, until))
    if remains.first_wrong is not None:
        return remains.first_wrong
    after = max(after, expected.floor)
    counted = inventory.first_wrong(sink.client, database, expected, until, after)
    whole = until if counted is None else counted - 1
    different = fingerprints.first_different(connection, sink.client, database, expected, after, whole)
    return counted if different is None else different
