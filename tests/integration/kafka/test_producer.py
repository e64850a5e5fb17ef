"""Producing through a broker that goes away: what is reported as sent is there, and nothing is forgotten."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from kafka import KafkaConsumer, TopicPartition

from domain.errors import Unavailable
from infra.kafka import producer as producing
from infra.kafka.batches import BATCH_BYTES
from infra.kafka.configuration import KafkaConfiguration
from infra.kafka.messages import Message
from infra.kafka.producer import TransactionalProducer
from infra.kafka.topics import ensure_topics
from tests.kafka.broker import Cluster
from tests.kafka.fixtures import fresh_topics

from ...waiting import wait_until
from .steps import messages, patient


def run(kafka: KafkaConfiguration, number: int) -> list[tuple[str, Message]]:
    """So many messages, of many keys."""
    return [(kafka.events_topic, Message(b"job-%d" % n, b'{"position":%d}' % n, [])) for n in range(number)]


def written(kafka: KafkaConfiguration) -> int:
    """How many messages lie there, committed or not."""
    with closing(KafkaConsumer(**patient(kafka))) as consumer:
        return sum(consumer.end_offsets([TopicPartition(kafka.events_topic, n) for n in range(4)]).values())


def keys(kafka: KafkaConfiguration) -> list[bytes]:
    """Of all messages that a careful reader sees."""
    return sorted(message.key for found in messages(kafka).values() for message in found)


def test_a_run_that_was_not_delivered_whole_is_not_committed(
    lonely_broker: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(producing, "DELIVERY_MS", 5_200)  # the least that the library takes
    (broker,) = lonely_broker.brokers
    kafka = fresh_topics(lonely_broker.servers)
    ensure_topics(kafka)

    def interrupted() -> Iterator[tuple[str, Message]]:
        for n in range(2):  # two batches, of which the first is sent before the end
            yield kafka.events_topic, Message(b"job-%d" % n, b"x" * 2 * BATCH_BYTES, [])
            yield kafka.events_topic, Message(b"job-%d" % n, b"x" * 2 * BATCH_BYTES, [])
        wait_until(lambda: written(kafka) >= 2)
        broker.kill()
        yield kafka.events_topic, Message(b"job-0", b"nobody takes this in time", [])

    with closing(TransactionalProducer(kafka, "test")) as producer, ThreadPoolExecutor() as thread:
        handed_over = producer._producer._sent
        sending = thread.submit(producer.send, interrupted())
        # Nobody waits for the last of five batches any more when the broker comes back, which then could commit.
        wait_until(lambda: sending.done() or (len(handed_over) == 5 and handed_over[-1].result.is_done))
        broker.start()
        with pytest.raises(Unavailable):
            sending.result()
    lonely_broker.wait()
    with closing(TransactionalProducer(kafka, "test")) as producer:
        assert producer.send(run(kafka, 10)) == 10
    assert len(keys(kafka)) == 10


def test_a_run_waits_for_a_broker_that_comes_back(lonely_broker: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(producing, "DELIVERY_MS", 60_000)  # it may take that long to start
    monkeypatch.setattr(producing, "COMMIT_SECONDS", 90.0)
    (broker,) = lonely_broker.brokers
    kafka = fresh_topics(lonely_broker.servers)
    ensure_topics(kafka)
    with closing(TransactionalProducer(kafka, "test")) as producer, ThreadPoolExecutor() as thread:
        producer.send(run(kafka, 20))
        broker.kill()
        sending = thread.submit(producer.send, run(kafka, 30))
        broker.start()
        assert sending.result() == 30
    assert len(keys(kafka)) == 50
