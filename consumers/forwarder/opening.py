"""Opening a route: the connections of its source and its sink, and where to go on."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass

from psycopg import Connection
from psycopg.rows import DictRow

from consumers.forwarder.checkpoint import Checkpoint
from consumers.forwarder.means import Means, expected
from consumers.forwarder.mending.by_hand import finish
from consumers.forwarder.mending.recovery import recover
from consumers.forwarder.mending.unfinished import Unfinished
from consumers.forwarder.sinks.clickhouse import ClickHouseSink
from consumers.forwarder.sinks.files import FileSink
from consumers.forwarder.sinks.sink import Sink
from consumers.forwarder.sinks.stdout import StdoutSink
from consumers.forwarder.sources.log import LogSource
from consumers.forwarder.sources.source import Source
from consumers.forwarder.topology import ClickHouseConfig, FileConfig, LogConfig, Route
from consumers.lock import FollowerLock

SENDERS = 4
"""Batches of different partitions of Kafka that are sent at once."""


@dataclass(frozen=True)
class Open:
    """A source at the place to go on from, connections to its sink, and one to the database. `position`: up to where
    the sink is known to have everything.
    """

    source: Source
    sinks: Sequence[Sink]
    connection: Connection[DictRow]
    lock: FollowerLock
    position: int = 0


@contextmanager
def opened(route: Route, means: Means, wake: threading.Event, *, migrate: bool) -> Iterator[Open | None]:
    """None when another forwarder is at work. `wake`: set when the log may have grown; `migrate`: whether the sink's
    tables may have to be made. Raises whatever source or sink fail with.
    """
    with ExitStack() as stack:
        connection = stack.enter_context(closing(means.database.connect()))
        lock, alone = FollowerLock(connection, route.consumer), isinstance(route.source, LogConfig)
        if not alone and (migrate or Unfinished(connection, route.consumer).until):
            _prepare_alone(route, means)
        if not lock.take(shared=not alone):
            yield None
            return
        sinks = [_sink(route, means, stack) for _ in range(1 if alone else SENDERS)]
        if migrate and alone:
            _prepare(sinks[0])
        source, position = (_log if alone else _kafka)(route, means, connection, sinks[0], stack, wake)
        yield Open(source, sinks, connection, lock, position)


def _prepare_alone(route: Route, means: Means) -> None:
    """While the other forwarders of the group wait: what is inserted meanwhile might miss a new table, or be there
    already.
    """
    with ExitStack() as stack:
        sink = _sink(route, means, stack)
        if isinstance(sink, StdoutSink):
            return
        connection = stack.enter_context(closing(means.database.connect()))
        FollowerLock(connection, route.consumer).wait()
        _prepare(sink)
        if not isinstance(sink, ClickHouseSink):
            return

        from consumers.forwarder.mending.adoption import adopt  # a library that only who needs it loads

        assert means.kafka is not None  # the topology was checked
        if until := Unfinished(connection, route.consumer).until:
            finish(connection, sink, route, means, until)
        wanted = expected(connection, route.consumer, means.layout)
        adopt(connection, sink, route, route.shaper(means.key), wanted, means.kafka)


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
        recover(connection, expected(connection, route.consumer, means.layout), checkpoint, sink)
    else:
        checkpoint.load()
    source = stack.enter_context(closing(LogSource(means.database.connect(), checkpoint, wake)))
    return source, checkpoint.progress.acknowledged


def _kafka(
    route: Route, means: Means, _connection: object, _sink: object, stack: ExitStack, _wake: object
) -> tuple[Source, int]:
    from consumers.forwarder.sources.kafka import KafkaSource  # a library that only who needs it loads

    assert means.kafka is not None  # the topology was checked
    return stack.enter_context(closing(KafkaSource(means.kafka, route.name))), 0


def _sink(route: Route, means: Means, stack: ExitStack) -> Sink:
    config = route.sink
    if isinstance(config, ClickHouseConfig):
        return stack.enter_context(closing(ClickHouseSink(config.url or means.clickhouse_url, means.layout)))
    return FileSink(config.folder, config.format) if isinstance(config, FileConfig) else StdoutSink()
