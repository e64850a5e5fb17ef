"""A repair by hand: the sink is taken for as long as it lasts, so that nothing is on its way."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass

import structlog
from psycopg import Connection
from psycopg.rows import DictRow

from consumers import timeline
from consumers.forwarder import dead_letters
from consumers.forwarder.checkpoint import Checkpoint
from consumers.forwarder.means import Means, expected
from consumers.forwarder.mending.repair import Range, repair
from consumers.forwarder.mending.unfinished import Unfinished
from consumers.forwarder.proof.inventory import EVERYTHING, Expected
from consumers.forwarder.sinks.clickhouse import ClickHouseSink
from consumers.forwarder.topology import ClickHouseConfig, LogConfig, Route, Wrong
from consumers.lock import FollowerLock
from infra.clickhouse import derived
from infra.eventlog.reader import LogReader

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Mended:
    """`until`: up to which position was compared; `events`: how many were sent anew."""

    until: int
    events: int


def mend(route: Route, means: Means, named: Sequence[Range] = ()) -> Mended:
    """What differs, also in the tables beside `events`, and what is `named`. Raises Wrong for another kind of sink than
    ClickHouse, and for positions that the sink has not got yet; Unavailable; ClickHouseRefused.
    """
    if not isinstance(route.sink, ClickHouseConfig):
        raise Wrong(f"{route.name} is no ClickHouse")
    url = route.sink.url or means.clickhouse_url
    with closing(means.database.connect()) as connection, closing(ClickHouseSink(url, means.layout)) as sink:
        FollowerLock(connection, route.mender).wait()
        FollowerLock(connection, route.consumer).wait()
        sink.migrate()
        if isinstance(route.source, LogConfig):
            until = Checkpoint(connection, route.consumer).acknowledged()
            _check(named, until)
            events = _repair(connection, sink, route, means, until, named)
        else:
            until = LogReader().head(connection)
            _check(named, until)
            events = finish(connection, sink, route, means, until, named)
        _align(sink, expected(connection, sink.client, route, means.layout), until)
    return Mended(until, events)


def _align(sink: ClickHouseSink, wanted: Expected, until: int) -> None:
    """What the tables beside `events` have otherwise than `events` gives is filled in anew."""
    for found in derived.differences(sink.client, sink.layout, wanted.floor, until, wanted.expired):
        log.warning("a table differs from events: filling it anew", **found._asdict())
        derived.mend(sink.client, sink.layout, found, wanted.expired)


def _check(named: Sequence[Range], until: int) -> None:
    for _, last in named:
        if last > until:
            raise Wrong(f"position {last} is behind {until}, which is how far events were forwarded")


def finish(
    connection: Connection[DictRow],
    sink: ClickHouseSink,
    route: Route,
    means: Means,
    until: int,
    named: Sequence[Range] = (),
) -> int:
    """Brings the sink up to `until`, and the forwarders that read from Kafka to pass over it: begun now, or by somebody
    who was interrupted. Nobody may be sending. Returns how many events were sent anew.
    """
    unfinished = Unfinished(connection, route.consumer)
    unfinished.begin(until)
    let_go(connection, sink, route, means)
    settle(connection, route, means, until)
    if sink.inventory(until).rows:  # of a log that was restored since
        sink.delete(until)
    events = _repair(connection, sink, route, means, until, named)
    unfinished.end()
    return events


def _repair(
    connection: Connection[DictRow],
    sink: ClickHouseSink,
    route: Route,
    means: Means,
    until: int,
    named: Sequence[Range],
) -> int:
    wanted = expected(connection, sink.client, route, means.layout)
    return repair(connection, sink, route.consumer, route.shaper(means.key), wanted, until, named)


def let_go(connection: Connection[DictRow], sink: ClickHouseSink, route: Route, means: Means) -> None:
    """What the log, when it was restored, may not have got back goes: some of it may look like what came after."""
    if (since := restored_since(connection, route, means)) is not None:
        log.warning("the log was restored: what it may not have any more is taken away", behind=since)
        sink.delete(since)
        dead_letters.renew(connection, route.consumer, since, EVERYTHING)


def restored_since(connection: Connection[DictRow], route: Route, means: Means) -> int | None:
    """If the log was restored and the sink not brought in line since: the position behind which it went on."""
    from consumers.forwarder.sources.skipping import is_known  # a library that only who needs it loads

    assert means.kafka is not None  # the topology was checked
    now = timeline.current(connection)
    return now.since if now.number and not is_known(means.kafka, route.name, now.number) else None


def settle(connection: Connection[DictRow], route: Route, means: Means, position: int) -> None:
    """Tells the forwarders that read from Kafka that the sink has everything up to this position."""
    from consumers.forwarder.sources.skipping import skip_until  # a library that only who needs it loads

    assert means.kafka is not None  # the topology was checked
    skip_until(means.kafka, route.name, position, timeline.current(connection))
