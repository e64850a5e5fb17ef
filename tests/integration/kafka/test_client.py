"""Connecting to a Kafka that is not there: it may take hours until it is, and nothing may pile up meanwhile."""

from __future__ import annotations

import gc
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace

import psutil
import pytest

from domain.errors import Unavailable
from infra.kafka import client, configuration
from infra.kafka.configuration import KafkaConfiguration
from infra.kafka.producer import TransactionalProducer
from infra.kafka.topics import ensure_topics
from tests.kafka.fixtures import fresh_topics

from ...waiting import wait_until


def produce(kafka: KafkaConfiguration) -> None:
    TransactionalProducer(kafka, "test")


@pytest.fixture(params=["refuses", "hangs"])
def nobody(request: pytest.FixtureRequest) -> Iterator[KafkaConfiguration]:
    """A server that takes no connections, or takes them and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        if request.param == "refuses":
            server.close()
            yield KafkaConfiguration(("127.0.0.1:9",))
        else:
            yield KafkaConfiguration((f"127.0.0.1:{server.getsockname()[1]}",))


@pytest.fixture
def without_collector() -> Iterator[None]:
    """What is left behind stays until somebody looks."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


@pytest.mark.usefixtures("without_collector")
@pytest.mark.parametrize("attempt", [ensure_topics, produce])
def test_what_cannot_connect_leaves_nothing_behind(
    nobody: KafkaConfiguration, attempt: Callable[[KafkaConfiguration], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(configuration, "BOOTSTRAP_MS", 100)
    monkeypatch.setattr(client, "CONNECTING_MS", 100)
    process, threads = psutil.Process(), set(threading.enumerate())
    files = process.num_fds()
    for _ in range(3):
        with pytest.raises(Unavailable):
            attempt(nobody)
    # Fewer files are no fault: what earlier tests have left may go meanwhile.
    wait_until(lambda: process.num_fds() <= files and threads.issuperset(threading.enumerate()))


def test_who_does_not_answer_is_not_asked_again(kafka: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each time would cost seconds, and a relay that begins anew connects again and again."""
    monkeypatch.setattr(client, "CONNECTING_MS", 2_000)
    monkeypatch.setattr(client, "SILENT_SECONDS", 600.0)
    monkeypatch.setattr(configuration, "BOOTSTRAP_MS", 60_000)
    made: list[int] = []

    def all_answered_but_one() -> bool:
        """While a busy broker keeps silent as well, both are asked."""
        known: dict[tuple[str, int], float] = {}
        monkeypatch.setattr(client, "_silent", known)
        with socket.create_server(("127.0.0.1", 0)) as silent:
            address = silent.getsockname()
            both = replace(fresh_topics(kafka), servers=(f"127.0.0.1:{address[1]}", *kafka.split(",")))
            for _ in range(15):
                ensure_topics(both)
            made.append(connections(silent))
            return known.keys() <= {address}

    wait_until(all_answered_but_one)
    assert made[-1] <= 1


def connections(server: socket.socket) -> int:
    """How many have been made to it."""
    server.setblocking(False)
    number = 0
    with suppress(BlockingIOError):
        while True:
            server.accept()[0].close()
            number += 1
    return number
