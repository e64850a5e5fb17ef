"""A repair by hand: the sink is taken for as long as it lasts, so that nothing is on its way."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

from psycopg import Connection
from psycopg.rows import DictRow

from consumers.forwarder import dead_letters
from consumers.forwarder.checkpoint import Checkpoint
from consumers.forwarder.opening import Means, expected
from consumers.forwarder.repair import repair
from consumers.forwarder.sinks.clickhouse import ClickHouseSink
from consumers.forwarder.topology import ClickHouseConfig, LogConfig, Route, Wrong
from consumers.lock import FollowerLock
from infra.eventlog.reader import LogReader


@dataclass(frozen=True)
class Mended:
    """`until`: up to which position was compared; `events`: how many were sent anew."""

    until: int
    events: int


def mend(route: Route, means: Means) -> Mended:
    """Raises Wrong for another kind of sink than ClickHouse; Unavailable; ClickHouseRefused."""
    if not isinstance(route.sink, ClickHouseConfig):
        raise Wrong(f"{route.name} is no ClickHouse")
    url = route.sink.url or means.clickhouse_url
    with closing(means.database.connect()) as connection, closing(ClickHouseSink(url, means.layout)) as sink:
        FollowerLock(connection, route.consumer).wait()
        sink.migrate()
        until = _until(connection, route, means)
        wanted = expected(connection, route.consumer, means.layout)
        done = repair(connection, sink, route.shaper(means.key), wanted, until)
        dead_letters.note(connection, route.consumer, done.dead)
    return Mended(until, done.events)


def _until(connection: Connection[DictRow], route: Route, means: Means) -> int:
    """What the forwarders have acknowledged; with Kafka, everything, and they pass over it when they come to it."""
    if isinstance(route.source, LogConfig):
        return Checkpoint(connection, route.consumer).acknowledged()
    head = LogReader().head(connection)
    settle(route, means, head)
    return head


def settle(route: Route, means: Means, position: int) -> None:
    """Tells the forwarders that read from Kafka that the sink has everything up to this position."""
    from consumers.forwarder.sources.skipping import skip_until  # a library that only who needs it loads

    assert means.kafka is not None  # the topology was checked
    skip_until(means.kafka, route.name, position)
