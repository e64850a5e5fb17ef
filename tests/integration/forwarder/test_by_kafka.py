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
from consumers.forwarder.bookkeeper import Bookkeeper
from consumers.forwarder.checkpoint import Checkpoint
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
from ..kafka.steps import (
    delete_topics,
    head,
    lose_mark,
    patient,
    raise_partitions,
    relay_all,
    relayed,
    relaying,
)
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
        wait_until(lambda: acknowledged(by_kafka) == 200)
        found = looked(reconciler)
        assert (found.equal, found.until, found.held) == (True, 200, 200)
    assert by_kafka.kafka is not None
    with relaying(log, by_kafka.kafka):  # and nobody forwards
        record(system, 100)
        wait_until(lambda: relayed(log) == 300)
    assert acknowledged(by_kafka) == 200
    assert looked(reconciler).equal
    with running(by_kafka):
        wait_until(lambda: acknowledged(by_kafka) == 300)
    delete(clickhouse, "position IN (250, 260)")
    wrong, mended = looked(reconciler), looked(reconciler)
    assert (wrong.first_wrong, wrong.missing) == (250, 2)
    assert mended.equal
    assert_exactly_once(log, clickhouse)


def test_what_nobody_acknowledges_does_not_keep_the_reconciler_from_looking(
    system: System, log: Database, clickhouse: Client, by_kafka: Means
) -> None:
    """Kafka's partitions end with what was repeated: the relay was killed, and Kafka had forgotten how far it was."""
    assert by_kafka.kafka is not None
    record(system, 200)
    with running(by_kafka):
        wait_until(lambda: arrived(log, clickhouse))
    lose_mark(by_kafka.kafka)
    with log.connect() as connection:
        connection.execute("UPDATE log.checkpoints SET position = 100 WHERE consumer = 'relay'")
    with running(by_kafka):
        wait_until(lambda: relayed(log) == 200)
        wait_until(lambda: acknowledged(by_kafka) == 200)
    delete(clickhouse, "position = 50")
    reconciler = Reconciler(BY_KAFKA, by_kafka, 60.0)
    assert looked(reconciler).first_wrong == 50
    assert looked(reconciler).equal
    assert_exactly_once(log, clickhouse)


@pytest.mark.parametrize("repeated", [False, True])
def test_partitions_may_be_added_while_everybody_works(
    system: System, log: Database, clickhouse: Client, by_kafka: Means, repeated: bool
) -> None:
    """Also if the relay repeats then what it is not sure of: to other partitions than before."""
    assert by_kafka.kafka is not None
    record(system, 400)
    with running(by_kafka, 2):
        wait_until(lambda: arrived(log, clickhouse))
        if not repeated:
            raise_partitions(by_kafka.kafka, 8)
            for _ in range(5):
                record(system, 50)
        wait_until(lambda: arrived(log, clickhouse))
    if repeated:
        raise_partitions(by_kafka.kafka, 8)
        lose_mark(by_kafka.kafka)
        with log.connect() as connection:
            connection.execute("UPDATE log.checkpoints SET position = 200 WHERE consumer = 'relay'")
    with running(by_kafka, 2):
        record(system, 100)
        wait_until(lambda: acknowledged(by_kafka) == head(log))
    assert_exactly_once(log, clickhouse)


def acknowledged(by_kafka: Means) -> int:
    """Up to where the sink has everything, noted as the bookkeeper of a forwarder's process does."""
    with closing(Bookkeeper(BY_KAFKA, by_kafka)) as bookkeeper, by_kafka.database.connect() as connection:
        bookkeeper.look()
        return Checkpoint(connection, BY_KAFKA.consumer).acknowledged()


def looked(reconciler: Reconciler) -> Reconciliation:
    found = reconciler.look()
    assert found is not None  # nobody else compares
    return found


def throw_away_everything(kafka: KafkaConfiguration) -> None:
    """As a retention does, at once."""
    with closing(KafkaConsumer(**patient(kafka))) as consumer, closing(KafkaAdminClient(**patient(kafka))) as admin:
        keys = [TopicPartition(topic, number) for topic in kafka.topics for number in range(kafka.partitions)]
        ends = consumer.end_offsets(keys)
        admin.delete_records({key: end for key, end in ends.items() if end})
