"""From the log to a sink through brokers that fail: every event comes, and none twice."""

from __future__ import annotations

import random
from contextlib import closing

import pytest
import structlog
from kafka import TopicPartition

from cli.bootstrap import System
from consumers.forwarder.sources.skipping import skip_until
from domain.errors import Unavailable
from infra.kafka.configuration import KafkaConfiguration
from infra.kafka.producer import TransactionalProducer
from infra.postgres.database import Database
from tests.kafka.broker import Cluster
from tests.kafka.fixtures import fresh_topics

from ...waiting import wait_until
from .harms import any_harm, done, two_relays
from .readers import Ledger, reading
from .steps import assert_complete, head, recording, relayed, relaying

ROUNDS = 12
GOES_ON_SECONDS = 120.0
"""Far more than it takes: see what is said about brokers that hang in docs/how-to/stream-the-log-to-kafka.md."""

words = structlog.get_logger(__name__)


def prepared(cluster: Cluster) -> KafkaConfiguration:
    """With topics, which nobody can make while a broker hangs, for a sink that has nothing yet. Brokers that have just
    come back may not know each other.
    """
    kafka = fresh_topics(cluster.servers)

    def begun() -> bool:
        try:
            skip_until(kafka, "test", 0)
        except Unavailable:
            return False
        return True

    wait_until(begun)
    return kafka


def assert_all_arrive(log: Database, ledger: Ledger) -> None:
    wait_until(lambda: len(ledger.positions) >= head(log), GOES_ON_SECONDS)
    assert ledger.positions == list(range(1, head(log) + 1))


def test_a_broker_goes_away_and_comes_back(system: System, log: Database, lonely_broker: Cluster) -> None:
    (broker,) = lonely_broker.brokers
    kafka, ledger = prepared(lonely_broker), Ledger()
    with relaying(log, kafka), reading(kafka, ledger, longest=500):
        with recording(system):
            wait_until(lambda: len(ledger.positions) > 100)
            broker.kill()
            wait_until(lambda: head(log) > relayed(log) + 500)
            broker.start()
            reached = head(log)
            wait_until(lambda: relayed(log) > reached, GOES_ON_SECONDS)
        assert_all_arrive(log, ledger)


def test_one_of_three_brokers_is_killed_under_load(system: System, log: Database, three_brokers: Cluster) -> None:
    kafka, ledger = prepared(three_brokers), Ledger()
    with relaying(log, kafka), reading(kafka, ledger, longest=500):
        with recording(system):
            wait_until(lambda: len(ledger.positions) > 100)
            broker = random.choice(three_brokers.brokers)
            broker.kill()
            goes_on(log, ledger)
            broker.start()
        assert_all_arrive(log, ledger)
    three_brokers.wait()
    assert_complete(log, kafka)


def test_a_producer_learns_who_leads_before_it_needs_to_know(three_brokers: Cluster) -> None:
    """One that asked the broker that hangs would wait for its answer, and the run run out of time."""
    kafka = prepared(three_brokers)
    partition = TopicPartition(kafka.events_topic, 0)
    with closing(TransactionalProducer(kafka, "test")) as producer:
        producer.identities(kafka.topics)
        known = producer._producer._metadata
        wait_until(lambda: known.leader_for_partition(partition) in (1, 2, 3))
        leader = known.leader_for_partition(partition)
        assert leader in (1, 2, 3)
        three_brokers.brokers[leader - 1].pause()
        try:
            wait_until(lambda: known.leader_for_partition(partition) in {1, 2, 3} - {leader})
        finally:
            three_brokers.brokers[leader - 1].resume()
            three_brokers.wait()


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(3))
def test_everything_fails_at_random(system: System, log: Database, three_brokers: Cluster, seed: int) -> None:
    """Killed, or hanging for longer than anybody waits; readers whenever it happens. What can go on does, and all else
    does as soon as it can.
    """
    kafka, ledger, chance = prepared(three_brokers), Ledger(), random.Random(seed)

    def crash() -> None:
        if random.random() < 0.002:
            raise Unavailable("this reader fails now and then")

    with (
        reading(kafka, ledger, crash, 500),
        reading(kafka, ledger, crash, 500),
        recording(system),
        two_relays(log, kafka) as relays,
    ):
        for number in range(ROUNDS):
            harm = any_harm(chance, three_brokers, relays)
            seconds = chance.uniform(0, harm.longest)
            words.info("harm", number=number, what=harm.name, seconds=round(seconds, 1), head=head(log))
            with done(harm, seconds):
                if harm.passable:
                    goes_on(log, ledger)
            goes_on(log, ledger)
            three_brokers.wait()
            relays.assert_alive()
    with relaying(log, kafka), reading(kafka, ledger, longest=500):
        assert_all_arrive(log, ledger)
    assert_complete(log, kafka)


def goes_on(log: Database, ledger: Ledger) -> None:
    """Events that are recorded from now on are read."""
    before = head(log)
    wait_until(lambda: relayed(log) > before, GOES_ON_SECONDS)
    wait_until(lambda: len(ledger.positions) > before, GOES_ON_SECONDS)
