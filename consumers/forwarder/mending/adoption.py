"""A ClickHouse that holds events already, met by forwarders of which Kafka knows nothing: Kafka was switched on later,
or they were away for so long that it has forgotten them (the brokers' `offsets.retention.minutes`, a week).
"""

from __future__ import annotations

import structlog
from psycopg import Connection
from psycopg.rows import DictRow

from consumers.forwarder.checkpoint import Checkpoint
from consumers.forwarder.mending.repair import repair
from consumers.forwarder.proof.inventory import Expected
from consumers.forwarder.rows import Shaper
from consumers.forwarder.sinks.clickhouse import ClickHouseSink
from consumers.forwarder.sources.skipping import is_new, skip_until
from consumers.forwarder.topology import Route
from infra.eventlog.reader import LogReader
from infra.kafka.configuration import KafkaConfiguration

log = structlog.get_logger(__name__)


def adopt(
    connection: Connection[DictRow],
    sink: ClickHouseSink,
    route: Route,
    shaper: Shaper,
    expected: Expected,
    kafka: KafkaConfiguration,
) -> None:
    """What ClickHouse holds becomes a whole prefix of the log, and the forwarders pass over it: sent once more, it
    would be there twice. No forwarder of the route may be running. Raises Unavailable, ClickHouseRefused, KafkaRefused.
    """
    if not is_new(kafka, route.name):
        return
    Checkpoint(connection, route.consumer).forget()  # nobody moves it any more, so it would look like a growing lag
    if not (held := sink.inventory()).rows:
        return
    until = min(held.highest, LogReader().head(connection))
    events = repair(connection, sink, route.consumer, shaper, expected, until)
    if held.highest > until:  # of a log that was restored since
        sink.delete(until)
    skip_until(kafka, route.name, until)
    log.info("what ClickHouse holds is not sent again", sink=route.name, until=until, put_right=events)
