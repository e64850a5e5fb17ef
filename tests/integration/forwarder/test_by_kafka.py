"""By way of Kafka everything is as it is without: the same tables to the byte, also after repairs and rebuilds."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from clickhouse_connect.driver.client import Client

from cli.bootstrap import System
from consumers.forwarder.forwarder import Forwarder
from consumers.forwarder.mending import mend
from consumers.forwarder.opening import Means
from consumers.forwarder.rebuild import rebuild
from consumers.forwarder.topology import Route, default
from consumers.relay.relay import Relay
from infra.clickhouse.schema import tables
from infra.kafka.configuration import KafkaConfiguration
from infra.postgres.database import Database

from ...campaign import simulate
from ...kafka.fixtures import kafka, kafka_configuration
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
    return compared(log, clickhouse).missing == 0


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
        wait_until(lambda: sum(forwarder.status.snapshot().events for forwarder in forwarders) == 3_000)
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
    system: System, log: Database, clickhouse: Client, by_kafka: Means, tmp_path: Path
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
    stop = threading.Event()
    workers = [Relay(log, by_kafka.kafka), Forwarder(route, replace(by_kafka, folder=tmp_path / "buffers"))]
    threads = [threading.Thread(target=worker.run, args=(stop,)) for worker in workers]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: any((tmp_path / "buffers").rglob("*.json")))
        wait_until(lambda: arrived(log, clickhouse))
    finally:
        stop.set()
        for thread in threads:
            thread.join(SECONDS)
    assert not any((tmp_path / "buffers").rglob("*.json"))
    assert_exactly_once(log, clickhouse)
