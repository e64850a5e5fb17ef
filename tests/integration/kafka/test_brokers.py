"""From the log to a sink through brokers that fail: every event comes, and none twice."""

from __future__ import annotations

import random
from collections.abc import Callable

import pytest

from cli.bootstrap import System
from domain.errors import Unavailable
from infra.kafka.topics import ensure_topics
from infra.postgres.database import Database
from tests.kafka.broker import Broker, Cluster
from tests.kafka.fixtures import fresh_topics

from ...waiting import wait_until
from .readers import Ledger, reading
from .steps import assert_complete, head, recording, relay_process, relayed, relaying


def assert_all_arrive(log: Database, ledger: Ledger) -> None:
    wait_until(lambda: len(ledger.positions) >= head(log), 90)
    assert ledger.positions == list(range(1, head(log) + 1))


def test_a_broker_goes_away_and_comes_back(system: System, log: Database, lonely_broker: Cluster) -> None:
    (broker,) = lonely_broker.brokers
    kafka, ledger = fresh_topics(lonely_broker.servers), Ledger()
    with relaying(log, kafka), reading(kafka, ledger, longest=500):
        with recording(system):
            wait_until(lambda: len(ledger.positions) > 100)
            broker.kill()
            wait_until(lambda: head(log) > relayed(log) + 500)
            broker.start()
            reached = head(log)
            wait_until(lambda: relayed(log) > reached)
        assert_all_arrive(log, ledger)


def test_one_of_three_brokers_is_killed_under_load(system: System, log: Database, three_brokers: Cluster) -> None:
    kafka, ledger = fresh_topics(three_brokers.servers), Ledger()
    with relaying(log, kafka), reading(kafka, ledger, longest=500):
        with recording(system):
            wait_until(lambda: len(ledger.positions) > 100)
            broker = random.choice(three_brokers.brokers)
            broker.kill()
            goes_on(log, ledger)
            broker.start()
        assert_all_arrive(log, ledger)
    assert_complete(log, kafka)


@pytest.mark.soak
def test_brokers_and_relays_fail_at_random(system: System, log: Database, three_brokers: Cluster) -> None:
    """Killed, or hanging for a while: one broker at a time, and relays and readers whenever it happens."""
    kafka, ledger = fresh_topics(three_brokers.servers), Ledger()
    ensure_topics(kafka)  # nobody can do so while a broker hangs

    def crash() -> None:
        if random.random() < 0.002:
            raise Unavailable("this reader fails now and then")

    with reading(kafka, ledger, crash, 500), reading(kafka, ledger, crash, 500), recording(system):
        for _ in range(15):
            with relay_process(log, kafka):
                broker = random.choice(three_brokers.brokers)
                harm, restore = random.choice(harms(broker))
                harm()
                goes_on(log, ledger)
                restore()
                three_brokers.wait()
    with relaying(log, kafka), reading(kafka, ledger, longest=500):
        assert_all_arrive(log, ledger)
    assert_complete(log, kafka)


def harms(broker: Broker) -> list[tuple[Callable[[], None], Callable[[], None]]]:
    return [(broker.kill, broker.start), (broker.pause, broker.resume)]


def goes_on(log: Database, ledger: Ledger) -> None:
    """Events that are recorded from now on are read."""
    relayed_before, read_before = head(log), len(ledger.positions)
    wait_until(lambda: relayed(log) > relayed_before, 40)
    wait_until(lambda: len(ledger.positions) > read_before, 40)
