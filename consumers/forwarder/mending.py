"""A repair by hand: the sink is taken for as long as it lasts, so that nothing is on its way."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

from psycopg import Connection
from psycopg.rows import DictRow

from consumers.forwarder.checkpoint import Checkpoint
from consumers.forwarder.means import Means, expected
from consumers.forwarder.repair import repair
from consumers.forwarder.sinks.clickhouse import ClickHouseSink
from consumers.forwarder.topology import ClickHouseConfig, LogConfig, Route, Wrong
from consumers.forwarder.unfinished import Unfinished
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
        FollowerLock(connection, route.mender).wait()
        FollowerLock(connection, route.consumer).wait()
        sink.migrate()
        if isinstance(route.source, LogConfig):
            until = Checkpoint(connection, route.consumer).acknowledged()
            events = _repair(connection, sink, route, means, until)
        else:
            until = LogReader().head(connection)
            events = finish(connection, sink, route, means, until)
    return Mended(until, events)


def finish(connection: Connection[DictRow], sink: ClickHouseSink, route: Route, means: Means, until: int) -> int:
    """Brings the sink up to `until`, and the forwarders that read from Kafka to pass over it: begun now, or by somebody
    who was interrupted. Nobody may be sending. Returns how many events were sent anew.
    """
    unfinished = Unfinished(connection, route.consumer)
    unfinished.begin(until)
    settle(route, means, until)
    if sink.inventory(until).rows:  # of a log that was restored since
        sink.delete(until)
    events = _repair(connection, sink, route, means, until)
    unfinished.end()
    return events


def _repair(connection: Connection[DictRow], sink: ClickHouseSink, route: Route, means: Means, until: int) -> int:
    wanted = expected(connection, route.consumer, means.layout)
    return repair(connection, sink, route.consumer, route.shaper(means.key), wanted, until)


def settle(route: Route, means: Means, position: int) -> None:
    """Tells the forwarders that read from Kafka that the sink has everything up to this position."""
    from consumers.forwarder.sources.skipping import skip_until  # a library that only who needs it loads

    assert means.kafka is not None  # the topology was checked
    skip_until(means.kafka, route.name, position)
