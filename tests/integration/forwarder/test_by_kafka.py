"""By way of Kafka everything is as it is without: the same tables to the byte, also after repairs and rebuilds."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from clickhouse_connect.driver.client import Client
from kafka import KafkaAdminClient, KafkaConsumer, TopicPartition

from cli.bootstrap import System
from consumers.forwarder.forwarder import Forwarder
from consumers.forwarder.means import Means
from consumers.forwarder.mending import by_hand
from consumers.forwarder.mending.by_hand import mend
from consumers.forwarder.mending.rebuild import rebuild
from consumers.forwarder.mending.unfinished import Unfinished
from consumers.forwarder.proof.check import Reconciliation
from consumers.forwarder.reconciler import Reconciler
from consumers.forwarder.topology import Route, default
from consumers.relay.relay import Relay
from infra.clickhouse.schema import tables
from infra.kafka.configuration import KafkaConfiguration
from infra.postgres.database import Database

from ...campaign import simulate
from ...kafka.fixtures import kafka, kafka_configuration
from ..kafka.steps import delete_topics, patient, relay_all, relayed, relaying
from .moody import moody, withheld
from .steps import (
    LAYOUT,
    SECONDS,
    assert_exactly_once,
    compared,
    count,
    delete,
    empty_tables,
    forward,
    means,
    record,
    wait_until,
)
from .steps import running as following

__all__ = ["kafka", "kafka_configuration"]

BY_KAFKA = default(kafka=True).route("clickhouse")


@pytest.fixture
def by_kafka(log: Database, url: str, kafka_configuration: KafkaConfiguration) -> Means:
    return replace(means(log, url), kafka=kafka_configuration)


@contextmanager
def running(by_kafka: Means, number: int = 1) -> Iterator[list[Forwarder]]:
    """A relay and forwarders."""
    assert by_kafka.kafka is not None
    stop = threading.Event()
    forwarders = [Forwarder(BY_KAFKA, by_kafka) for _ in range(number)]
    workers = [Relay(by_kafka.database, by_kafka.kafka), *forwarders]
    threads = [threading.Thread(target=worker.run, args=(stop,)) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        yield forwarders
    finally:
        stop.set()
        for thread in threads:
            thread.join(SECONDS)
            assert not thread.is_alive()


def arrived(log: Database, clickhouse: Client) -> bool:
    """Whether every position is there."""
    return count(clickhouse) > 0 and compared(log, clickhouse).missing == 0


def fingerprints(clickhouse: Client) -> dict[str, str]:
    """Of every table: a hash of all that is in it, byte by byte, in one order."""
    hashes = {}
    for name in tables(LAYOUT):
        content = clickhouse.raw_query(f"SELECT * FROM cvat.{name} ORDER BY ALL FORMAT RowBinary")
        hashes[name] = hashlib.sha256(content).hexdigest()
    return hashes


def test_both_ways_give_the_same_tables_to_the_byte(
    system: System, log: Database, url: str, clickhouse: Client, by_kafka: Means
) -> None:
    simulate(system, people=4, days=2, events=1_500, seed=3)
    forward(log, url)
    assert_exactly_once(log, clickhouse)
    direct = fingerprints(clickhouse)
    assert len(set(direct.values())) == len(direct)
    empty_tables(clickhouse)
    with running(by_kafka):
        wait_until(lambda: arrived(log, clickhouse))
    assert fingerprints(clickhouse) == direct


def test_two_forwarders_share_the_partitions(
    system: System, log: Database, clickhouse: Client, by_kafka: Means
) -> None:
    record(system, 2_000)
    with running(by_kafka, 2) as forwarders:
        wait_until(lambda: arrived(log, clickhouse))
        record(system, 1_000)
        wait_until(lambda: arrived(log, clickhouse))
        # More, when a partition went over before its last batch was acknowledged.
        wait_until(lambda: sum(forwarder.status.snapshot().events for forwarder in forwarders) >= 3_000)
    assert_exactly_once(log, clickhouse)


def test_a_repair_and_a_rebuild_leave_each_event_exactly_once(
    system: System, log: Database, clickhouse: Client, by_kafka: Means
) -> None:
    record(system, 1_000)
    with running(by_kafka):
        wait_until(lambda: arrived(log, clickhouse))
        delete(clickhouse, "position IN (5, 6, 700)")
        record(system, 200)
        assert mend(BY_KAFKA, by_kafka).events > 0
        record(system, 200)
        wait_until(lambda: arrived(log, clickhouse))
        assert_exactly_once(log, clickhouse)
        delete(clickhouse, "position = 9")
        record(system, 200)
        rebuild(BY_KAFKA, by_kafka, lambda _position, _until: None)
        record(system, 200)
        wait_until(lambda: arrived(log, clickhouse))
    assert count(clickhouse) == 1_800 + 900
    assert_exactly_once(log, clickhouse)


def test_a_buffer_may_lie_on_disk(
    system: System, log: Database, url: str, clickhouse: Client, by_kafka: Means, tmp_path: Path
) -> None:
    sink = BY_KAFKA.sink.model_copy(
        update={
            "batch": BY_KAFKA.sink.batch.model_copy(update={"rows": 50}),
            "buffer": BY_KAFKA.sink.buffer.model_copy(update={"memory": 1, "disk": 10_000_000}),
        }
    )
    route = Route(name="clickhouse", source=BY_KAFKA.source, transforms=[], sink=sink)
    assert by_kafka.kafka is not None
    record(system, 2_000)
    answers = threading.Event()
    with moody(urlsplit(url).port or 0) as proxy:
        proxy.mood = withheld(threading.Event(), answers)
        given = replace(by_kafka, clickhouse_url=proxy.url(url), folder=tmp_path / "buffers")
        with relaying(log, by_kafka.kafka), following(Forwarder(route, given)):
            wait_until(lambda: any((tmp_path / "buffers").rglob("*.batch")))
            answers.set()
            wait_until(lambda: arrived(log, clickhouse))
    assert not any((tmp_path / "buffers").rglob("*.batch"))
    assert_exactly_once(log, clickhouse)


def test_what_clickhouse_holds_when_kafka_is_switched_on_is_not_sent_again(
    system: System, log: Database, url: str, clickhouse: Client, by_kafka: Means
) -> None:
    record(system, 3_000)
    forward(log, url)
    delete(clickhouse, "position = 7")
    record(system, 100)
    with running(by_kafka, 2):
        wait_until(lambda: arrived(log, clickhouse))
        record(system, 100)
        wait_until(lambda: arrived(log, clickhouse))
    assert_exactly_once(log, clickhouse)


def test_what_kafka_has_thrown_away_is_repaired_and_then_all_goes_on(
    system: System, log: Database, clickhouse: Client, by_kafka: Means
) -> None:
    assert by_kafka.kafka is not None
    record(system, 500)
    with running(by_kafka):
        wait_until(lambda: arrived(log, clickhouse))
    record(system, 500)
    relay_all(log, by_kafka.kafka)
    throw_away_everything(by_kafka.kafka)
    with running(by_kafka) as (forwarder,):
        wait_until(lambda: "thrown away" in (forwarder.status.snapshot().last_error or ""))
        mend(BY_KAFKA, by_kafka)
        record(system, 100)
        wait_until(lambda: arrived(log, clickhouse))
        wait_until(lambda: forwarder.status.snapshot().position == 1_100)
    assert_exactly_once(log, clickhouse)


def test_topics_that_are_made_anew_are_read_from_their_start_and_nothing_twice(
    system: System, log: Database, clickhouse: Client, by_kafka: Means
) -> None:
    """While forwarders run, and while none does; all of the topics, and one of them."""
    assert by_kafka.kafka is not None
    record(system, 500)
    with running(by_kafka, 2):
        wait_until(lambda: arrived(log, clickhouse))
        delete_topics(by_kafka.kafka)
        record(system, 1_500)
        wait_until(lambda: arrived(log, clickhouse))
    assert_exactly_once(log, clickhouse)
    delete_topics(by_kafka.kafka, by_kafka.kafka.events_topic)
    record(system, 1_000)
    with running(by_kafka):
        wait_until(lambda: arrived(log, clickhouse))
    assert_exactly_once(log, clickhouse)


def test_a_repair_takes_away_what_a_restored_log_does_not_have(
    system: System, log: Database, clickhouse: Client, by_kafka: Means
) -> None:
    record(system, 500)
    with running(by_kafka):
        wait_until(lambda: arrived(log, clickhouse))
    with log.connect() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("DELETE FROM log.events WHERE position > 400")
        connection.execute("UPDATE log.checkpoints SET position = 400 WHERE consumer = 'relay'")
    record(system, 20)
    mend(BY_KAFKA, by_kafka)
    with running(by_kafka):
        record(system, 100)
        wait_until(lambda: arrived(log, clickhouse))
    assert_exactly_once(log, clickhouse)


def test_a_repair_that_was_interrupted_is_finished_by_the_next_start(
    system: System, log: Database, clickhouse: Client, by_kafka: Means, monkeypatch: pytest.MonkeyPatch
) -> None:
    record(system, 100)
    with running(by_kafka):
        wait_until(lambda: arrived(log, clickhouse))
    record(system, 150)

    def killed(*_: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(by_hand, "repair", killed)
        with pytest.raises(KeyboardInterrupt):
            mend(BY_KAFKA, by_kafka)
    assert not arrived(log, clickhouse)
    with running(by_kafka):
        wait_until(lambda: arrived(log, clickhouse))
        record(system, 50)
        wait_until(lambda: arrived(log, clickhouse))
    assert_exactly_once(log, clickhouse)
    with log.connect() as connection:
        assert Unfinished(connection, BY_KAFKA.consumer).until == 0


def test_what_is_on_its_way_is_not_missing_and_what_is_missing_is_sent_anew(
    system: System, log: Database, clickhouse: Client, by_kafka: Means
) -> None:
    record(system, 200)
    reconciler = Reconciler(BY_KAFKA, by_kafka, 60.0)
    with running(by_kafka):
        wait_until(lambda: arrived(log, clickhouse))
        wait_until(lambda: relayed(log) == 200)
        assert reconciler.look() is None  # what was there is known from now on
        found = looked(reconciler)  # when it was acknowledged as well
        assert (found.equal, found.until, found.held) == (True, 200, 200)
    assert by_kafka.kafka is not None
    with relaying(log, by_kafka.kafka):  # and nobody forwards
        record(system, 100)
        wait_until(lambda: relayed(log) == 300)
    assert reconciler.look() is not None  # of what was acknowledged at the last look
    assert reconciler.look() is None
    with running(by_kafka):
        wait_until(lambda: arrived(log, clickhouse))
    delete(clickhouse, "position IN (250, 260)")
    wrong, mended = looked(reconciler), looked(reconciler)
    assert (wrong.first_wrong, wrong.missing) == (250, 2)
    assert mended.equal
    assert_exactly_once(log, clickhouse)


def test_what_only_clickhouse_has_since_the_log_was_restored_is_a_difference_until_it_is_repaired(
    system: System, log: Database, clickhouse: Client, by_kafka: Means
) -> None:
    record(system, 200)
    with running(by_kafka):
        wait_until(lambda: arrived(log, clickhouse))
        wait_until(lambda: relayed(log) == 200)
    with log.connect() as connection:
        connection.execute("SET session_replication_role = replica")
        connection.execute("DELETE FROM log.events WHERE position > 150")
        connection.execute("UPDATE log.checkpoints SET position = 150 WHERE consumer = 'relay'")
    found = compared(log, clickhouse)
    assert (found.until, found.beyond, found.first_wrong, found.missing) == (150, 50, None, 0)
    assert found.difference is not None
    assert "50 events behind the end of the log" in found.difference
    mend(BY_KAFKA, by_kafka)
    assert_exactly_once(log, clickhouse)
    record(system, 20)
    with running(by_kafka):
        wait_until(lambda: arrived(log, clickhouse))
    assert_exactly_once(log, clickhouse)


def looked(reconciler: Reconciler) -> Reconciliation:
    """What it finds as soon as it finds something."""
    found: list[Reconciliation | None] = []
    wait_until(lambda: found.append(reconciler.look()) or found[-1])
    assert found[-1] is not None
    return found[-1]


def throw_away_everything(kafka: KafkaConfiguration) -> None:
    """As a retention does, at once."""
    with closing(KafkaConsumer(**patient(kafka))) as consumer, closing(KafkaAdminClient(**patient(kafka))) as admin:
        keys = [TopicPartition(topic, number) for topic in kafka.topics for number in range(kafka.partitions)]
        ends = consumer.end_offsets(keys)
        admin.delete_records({key: end for key, end in ends.items() if end})
