"""Sending a part of the log to a sink from outside the stream: to rebuild, to repair, to try dead letters again."""

from __future__ import annotations

from collections.abc import Callable, Container, Iterator

from psycopg import Connection
from psycopg.rows import DictRow

from consumers.forwarder.batch import Batch, Limits
from consumers.forwarder.cutter import Cutter, shape
from consumers.forwarder.dead_letters import DeadLetter
from consumers.forwarder.rows import Shaper
from consumers.forwarder.sinks.sink import Sink
from consumers.forwarder.sources.deliveries import PARTITION, deliveries
from infra.eventlog.reader import LogReader

LIMITS = Limits(rows=50_000, bytes=64 * 1024 * 1024)


def send(
    connection: Connection[DictRow],
    sink: Sink,
    shaper: Shaper,
    after: int,
    until: int,
    label: str,
    progress: Callable[[int, int], object] = lambda _position, _until: None,
    *,
    only: Container[int] | None = None,
) -> list[DeadLetter]:
    """The events of `after` < position <= `until`, which must be in the log and not in the sink; `only` of these
    positions. `label` makes the tokens. Returns what the sink won't take.
    """
    dead: list[DeadLetter] = []
    for batch in batches(connection, shaper, after, until, LIMITS, only):
        dead += batch.dead
        if batch.row_count:
            dead += sink.insert(batch, f"annals:{label}:{batch.span.after}-{batch.span.until}")
        progress(batch.span.until, until)
    return dead


def batches(
    connection: Connection[DictRow],
    shaper: Shaper,
    after: int,
    until: int,
    limits: Limits,
    only: Container[int] | None = None,
) -> Iterator[Batch]:
    """The events of `after` < position <= `until`, which must be in the log; `only` of these positions."""
    cutter = Cutter(PARTITION, after, limits)
    for fetched in LogReader().stored(connection, after, until):
        for delivery in deliveries([stored for stored in fetched if only is None or stored.position in only]):
            yield from cutter.add(shape(delivery, shaper))
    if cutter.open:
        yield cutter.cut()
