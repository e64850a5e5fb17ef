"""A sink that has events already, met by forwarders that read from Kafka: they were fed to it from the log, since Kafka
was switched on or once more in between; or Kafka has forgotten what was read, for nobody was there for so long (the
brokers' `offsets.retention.minutes`, a week); or the topics were made anew, and are filled from the start.
"""

from __future__ import annotations

import structlog
from psycopg import Connection
from psycopg.rows import DictRow

from consumers import timeline
from consumers.forwarder.checkpoint import Checkpoint
from consumers.forwarder.means import Means, expected
from consumers.forwarder.mending.by_hand import let_go, restored_since, settle
from consumers.forwarder.mending.repair import repair
from consumers.forwarder.proof.inventory import EVERYTHING
from consumers.forwarder.sinks.clickhouse import ClickHouseSink
from consumers.forwarder.sinks.files import FileSink
from consumers.forwarder.sinks.sink import Sink
from consumers.forwarder.sources.skipping import farthest, is_known
from consumers.forwarder.topology import Route
from infra.eventlog.reader import LogReader

log = structlog.get_logger(__name__)


def adopt(connection: Connection[DictRow], sink: Sink, route: Route, means: Means) -> None:
    """What the sink has becomes a whole prefix of the log, and the forwarders pass over it: sent once more, it would
    be there twice. No forwarder of the route may be running. Raises Unavailable, ClickHouseRefused, KafkaRefused.
    """
    assert means.kafka is not None  # the topology was checked
    checkpoint = Checkpoint(connection, route.consumer)
    if not checkpoint.by_log() and is_known(means.kafka, route.name, timeline.current(connection).number):
        return
    if isinstance(sink, ClickHouseSink):
        until = _made_whole(connection, sink, route, means)
    else:
        since = restored_since(connection, route, means)
        until = min(checkpoint.acknowledged(), EVERYTHING if since is None else since)
        if isinstance(sink, FileSink):
            sink.remember(until, EVERYTHING if since is None else since)
    settle(connection, route, means, until)
    checkpoint.hand_over(until)
    if until:
        log.info("what the sink has is not sent again", sink=route.name, until=until)


def _made_whole(connection: Connection[DictRow], sink: ClickHouseSink, route: Route, means: Means) -> int:
    """Up to which position ClickHouse holds everything now, and nothing besides. What Kafka will not bring any more,
    for it did so once, is taken from the log: ClickHouse was emptied since.
    """
    assert means.kafka is not None
    let_go(connection, sink, route, means)
    held, head = sink.inventory(), LogReader().head(connection)
    until = min(held.highest, head) if held.highest >= farthest(means.kafka, route.name) else head
    if not until:
        return 0
    wanted = expected(connection, sink.client, route, means.layout)
    repair(connection, sink, route.consumer, route.shaper(means.key), wanted, until)
    if held.highest > until:  # of a log that was restored since
        sink.delete(until)
    return until
