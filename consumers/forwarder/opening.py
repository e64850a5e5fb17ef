"""Opening a route: the connections of its source and its sink, and where to go on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass

from psycopg import Connection
from psycopg.rows import DictRow

from consumers import timeline
from consumers.forwarder.checkpoint import Checkpoint
from consumers.forwarder.means import Means, expected
from consumers.forwarder.mending.by_hand import finish
from consumers.forwarder.mending.recovery import recover
from consumers.forwarder.mending.unfinished import Unfinished
from consumers.forwarder.sinks.clickhouse import ClickHouseSink
from consumers.forwarder.sinks.files import FileSink
from consumers.forwarder.sinks.of_route import sink_of
from consumers.forwarder.sinks.sink import Sink
from consumers.forwarder.sources.log import LogSource
from consumers.forwarder.sources.source import Source
from consumers.forwarder.topology import LogConfig, Route
from consumers.lock import FollowerLock
from domain.errors import Unavailable
from infra.eventlog.reader import LogReader

SENDERS = 4
"""Batches of different partitions of Kafka that are sent at once."""


@dataclass(frozen=True)
class Open:
    """A source at the place to go on from, connections to its sink, and one to the database. `over`: whether it should
    be opened anew, as somebody wants the sink for himself, or the log was restored. `position`: up to where the sink is
    known to have everything.
    """

    source: Source
    sinks: Sequence[Sink]
    connection: Connection[DictRow]
    over: Callable[[], bool]
    position: int = 0


@contextmanager
def opened(route: Route, means: Means, wake: threading.Event, *, migrate: bool) -> Iterator[Open | None]:
    """None when another forwarder is at work. `wake`: set when the log may have grown; `migrate`: whether the sink's
    tables may have to be made. Raises whatever source or sink fail with.
    """
    with ExitStack() as stack:
        connection = stack.enter_context(closing(means.database.connect()))
        lock, alone = FollowerLock(connection, route.consumer), isinstance(route.source, LogConfig)
        began = timeline.current(connection).number
        if not alone and (migrate or _to_be_brought_in_line(connection, route, means)):
            lock.wait()
            _prepare_alone(connection, route, means)
            lock.share()
        elif not lock.take(shared=not alone):
            yield None
            return
        sinks = [_sink(route, means, stack) for _ in range(1 if alone else SENDERS)]
        if migrate and alone:
            _prepare(sinks[0])
        source, position = (_log if alone else _kafka)(route, means, connection, sinks[0], stack, wake)

        def over() -> bool:
            return lock.wanted() or (not alone and timeline.current(connection).number != began)

        yield Open(source, sinks, connection, over, position)


def _to_be_brought_in_line(connection: Connection[DictRow], route: Route, means: Means) -> bool:
    """Whether what Kafka keeps of the sink is not how it is."""
    from consumers.forwarder.sources.skipping import is_known  # a library that only who needs it loads

    assert means.kafka is not None  # the topology was checked
    return (
        bool(Unfinished(connection, route.consumer).until)
        or Checkpoint(connection, route.consumer).by_log()
        or not is_known(means.kafka, route.name, timeline.current(connection).number)
    )


def _prepare_alone(connection: Connection[DictRow], route: Route, means: Means) -> None:
    """While the other forwarders of the group wait: what is inserted meanwhile might miss a new table, or be there
    already.
    """
    with ExitStack() as stack:
        sink = _sink(route, means, stack)
        _prepare(sink)
        if not _to_be_brought_in_line(connection, route, means):
            return
        mender = FollowerLock(connection, route.mender)
        if not mender.take():
            raise Unavailable("the sink has to be brought in line, but somebody compares or repairs it just now")

        from consumers.forwarder.mending.adoption import adopt  # a library that only who needs it loads

        until = Unfinished(connection, route.consumer).until
        if until and isinstance(sink, ClickHouseSink):
            finish(connection, sink, route, means, until)
        adopt(connection, sink, route, means)
        mender.release()


def _prepare(sink: Sink) -> None:
    """By who has the sink for itself."""
    if isinstance(sink, ClickHouseSink):
        sink.migrate()
    elif isinstance(sink, FileSink):
        sink.sweep()


def _log(
    route: Route,
    means: Means,
    connection: Connection[DictRow],
    sink: Sink,
    stack: ExitStack,
    wake: threading.Event,
) -> tuple[Source, int]:
    checkpoint = Checkpoint(connection, route.consumer)
    if isinstance(sink, ClickHouseSink):
        wanted = expected(connection, sink.client, route, means.layout)
        recover(connection, wanted, checkpoint, sink)
    else:
        if isinstance(sink, FileSink) and not checkpoint.by_log():
            sink.remember(checkpoint.acknowledged())
        checkpoint.load()
    source = stack.enter_context(closing(LogSource(means.database.connect(), checkpoint, wake)))
    return source, checkpoint.progress.acknowledged


def _kafka(
    route: Route, means: Means, connection: Connection[DictRow], _sink: object, stack: ExitStack, _wake: object
) -> tuple[Source, int]:
    from consumers.forwarder.sources.kafka import KafkaSource  # a library that only who needs it loads

    assert means.kafka is not None  # the topology was checked
    source = KafkaSource(means.kafka, route.name, lambda: LogReader().head(connection))
    return stack.enter_context(closing(source)), 0


def _sink(route: Route, means: Means, stack: ExitStack) -> Sink:
    return stack.enter_context(closing(sink_of(route, means)))
