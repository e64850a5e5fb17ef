"""Fixtures with a real Kafka. A conftest that wants them imports them.

`ANNALS_TEST_KAFKA=host:port,…` points them at another broker. Without that, and without Java, Maven or its repository,
the tests skip; with `CI` set, or `ANNALS_TEST_KAFKA=required`, they fail.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import pytest

from infra.kafka.configuration import KafkaConfiguration
from tests.kafka.artefacts import NoKafka, broker_jars
from tests.kafka.broker import Cluster
from tests.kafka.guard import ADMIN, guarded_settings, log_in
from tests.kafka.prepared import prepared

VARIABLE = "ANNALS_TEST_KAFKA"
REQUIRED = "required"
STEADY = {"broker.session.timeout.ms": 60_000}
"""Of brokers that nobody takes away: one that is slow because the machine is busy must not pass for dead."""


@pytest.fixture(scope="session")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A broker that runs as long as this test process, and that all its tests share: its address."""
    given = os.environ.get(VARIABLE, "")
    if given not in ("", REQUIRED):
        yield given
        return
    with _cluster(tmp_path_factory, 1, STEADY) as cluster:
        yield cluster.servers


@pytest.fixture
def kafka_configuration(kafka: str) -> KafkaConfiguration:
    """That broker, with topics for one test alone, which don't exist yet."""
    return fresh_topics(kafka)


@pytest.fixture(scope="module")
def three_brokers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A cluster of our own, of which a test may kill one broker after the other."""
    with _cluster(tmp_path_factory, 3) as cluster:
        yield cluster


@pytest.fixture
def lonely_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One broker of our own, which a test may take away."""
    with _cluster(tmp_path_factory, 1) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def guarded_broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """One broker of our own, which asks for a name and a password, and forbids everybody but ADMIN everything."""
    with _cluster(tmp_path_factory, 1, {**STEADY, **guarded_settings()}, log_in(ADMIN)) as cluster:
        yield cluster


def fresh_topics(servers: str, partitions: int = 4) -> KafkaConfiguration:
    prefix = f"test-{uuid.uuid4().hex[:12]}."
    return KafkaConfiguration(tuple(servers.split(",")), topic_prefix=prefix, partitions=partitions)


@contextmanager
def _cluster(
    folders: pytest.TempPathFactory,
    brokers: int,
    settings: Mapping[str, object] | None = None,
    client: Mapping[str, object] | None = None,
) -> Iterator[Cluster]:
    try:
        jars = broker_jars()
        cluster = Cluster(jars, folders.mktemp("kafka") / "brokers", brokers, settings, client)
        cluster.start(prepared(jars))
    except NoKafka as error:
        if "CI" in os.environ or os.environ.get(VARIABLE) == REQUIRED:
            pytest.fail(f"These tests need Kafka, but {error}")
        pytest.skip(f"no Kafka: {error}")
    try:
        yield cluster
    finally:
        cluster.stop()
