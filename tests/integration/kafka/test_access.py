"""A Kafka that asks who comes, and does not let everybody do everything."""

from __future__ import annotations

from dataclasses import replace

import pytest
from kafka.admin import ACLOperation, ResourceType

from cli.bootstrap import System
from consumers.relay.relay import Relay
from infra.kafka.configuration import KafkaConfiguration
from infra.kafka.errors import KafkaRefused
from infra.kafka.topics import ensure_topics
from infra.postgres.database import Database
from tests.kafka.broker import Cluster
from tests.kafka.fixtures import fresh_topics
from tests.kafka.guard import ADMIN, USER, allow, forbid, password

from ...waiting import wait_until
from .steps import assert_complete, head, record, relayed, relaying


def configuration(cluster: Cluster, name: str) -> KafkaConfiguration:
    return replace(
        fresh_topics(cluster.servers),
        security="SASL_PLAINTEXT",
        mechanism="PLAIN",
        user=name,
        password=password(name),
    )


def test_a_wrong_password_is_told_from_a_kafka_that_is_away(guarded_broker: Cluster) -> None:
    kafka = replace(configuration(guarded_broker, USER), password="guessed")
    with pytest.raises(KafkaRefused, match="Authentication failed") as caught:
        ensure_topics(kafka)
    assert "guessed" not in str(caught.value)


def test_the_relay_says_what_it_may_not_do_and_goes_on_when_it_may(
    system: System, log: Database, guarded_broker: Cluster
) -> None:
    """Each permission by itself, as the guide lists them, and one that is taken away while the relay works."""
    kafka = configuration(guarded_broker, USER)
    record(system, 50)
    with relaying(log, kafka) as relay:
        for topic in kafka.topics:
            wait_until(lambda: refused(relay, "making the topics"))
            allow(guarded_broker, ResourceType.TOPIC, topic, ACLOperation.CREATE, ACLOperation.DESCRIBE)
        wait_until(lambda: refused(relay, "starting to produce"))
        transactions = ACLOperation.WRITE, ACLOperation.DESCRIBE
        allow(guarded_broker, ResourceType.TRANSACTIONAL_ID, f"{kafka.topic_prefix}relay", *transactions)
        wait_until(lambda: refused(relay, "looking what was relayed"))
        allow(guarded_broker, ResourceType.GROUP, f"{kafka.topic_prefix}relay", ACLOperation.READ)
        wait_until(lambda: refused(relay, "producing"))
        for topic in kafka.topics:
            allow(guarded_broker, ResourceType.TOPIC, topic, ACLOperation.READ, ACLOperation.WRITE)
        wait_until(lambda: relayed(log) == head(log) and not relay.status.snapshot().last_error)
        forbid(guarded_broker, ResourceType.TOPIC, kafka.events_topic, ACLOperation.WRITE)
        # The broker goes by it only a moment later.
        wait_until(lambda: record(system, 5) or refused(relay, "producing"))
        allow(guarded_broker, ResourceType.TOPIC, kafka.events_topic, ACLOperation.WRITE)
        wait_until(lambda: relayed(log) == head(log))
    assert_complete(log, replace(kafka, user=ADMIN, password=password(ADMIN)))


def refused(relay: Relay, what: str) -> bool:
    """Whether Kafka forbids it to do that."""
    return (relay.status.snapshot().last_error or "").startswith(f"KafkaRefused: Kafka refuses {what}: ")
