"""Messages that our relay has not written, in its topics: they stop nobody, and are taken for no event of the log."""

from __future__ import annotations

from contextlib import closing

import orjson

from cli.bootstrap import System
from consumers.forwarder.sources.delivery import Unreadable
from consumers.forwarder.sources.kafka import KafkaSource
from infra.kafka.configuration import KafkaConfiguration
from infra.kafka.messages import Message
from infra.kafka.producer import TransactionalProducer
from infra.postgres.database import Database

from .readers import endless
from .steps import every_message, head, record, relay_all
from .test_source import begun, deliveries, everything

__all__ = ["begun"]


def test_what_cannot_be_decoded_stops_nobody(
    system: System, log: Database, kafka_configuration: KafkaConfiguration
) -> None:
    record(system, 10)
    relay_all(log, kafka_configuration)
    topic = kafka_configuration.events_topic
    with closing(TransactionalProducer(kafka_configuration, "somebody")) as producer:
        strange = [Message(b"job-1", b"{", [("position", b"7")]), Message(b"job-1", b'{"type": "Unknown"}', [])]
        producer.send((topic, message) for message in strange)
    record(system, 10)
    relay_all(log, kafka_configuration)
    with closing(KafkaSource(kafka_configuration, "test", endless)) as source:
        found = deliveries(source, lambda found: len(found) >= 22)
    unreadable = [delivery for delivery in found if isinstance(delivery.content, Unreadable)]
    assert [delivery.content.stated for delivery in unreadable] == [7, 0]
    assert "JSONDecodeError" in unreadable[0].content.error
    assert sorted(d.position for d in found if d not in unreadable) == everything(log)


STRANGE = [
    *({"position": position} for position in ("7", None, [7], 7.0, True, 0, -7, 1e300, 2**63, 21, 10**12)),
    *(
        {"time": moment}
        for moment in (None, "2026-11-21T10:00:00", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59Z")
    ),
]
"""What makes a message of the relay one that it can't have written when the log has 20 events."""


def test_what_no_relay_of_this_log_wrote_stops_nobody(
    system: System, log: Database, kafka_configuration: KafkaConfiguration
) -> None:
    """Nor is it taken for an event, behind whose position all others would have come already."""
    record(system, 10)
    relay_all(log, kafka_configuration)
    lines = [orjson.loads(message.value) for message in every_message(kafka_configuration)]
    with closing(TransactionalProducer(kafka_configuration, "somebody")) as producer:
        topic = kafka_configuration.events_topic
        strange = [Message(line["stream"].encode(), orjson.dumps(line | odd), []) for line in lines for odd in STRANGE]
        producer.send((topic, message) for message in strange)
    record(system, 10)
    relay_all(log, kafka_configuration)
    with closing(KafkaSource(kafka_configuration, "test", lambda: head(log))) as source:
        found = deliveries(source, lambda found: len(found) >= 20 + 10 * len(STRANGE))
    assert sorted(d.position for d in found if not isinstance(d.content, Unreadable)) == everything(log)
    assert {delivery.position for delivery in found if isinstance(delivery.content, Unreadable)} == {0}
