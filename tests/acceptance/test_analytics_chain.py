"""The chain log → relay → Kafka → forwarders → ClickHouse under kill -9 of any link at any moment: each event once."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from urllib.parse import quote

import pytest
from clickhouse_connect.driver.client import Client

from cli.bootstrap import System
from consumers.forwarder.proof.check import compare
from consumers.forwarder.proof.inventory import Expected
from domain.event import Actor, Context
from domain.events.job import JobAssigned, JobStateChanged
from domain.events.telemetry import ClientEventsReported
from infra.clickhouse.client import connect
from infra.clickhouse.process import EndpointProcess
from infra.clickhouse.schema import Layout, tables

from ..kafka.broker import Broker, Cluster
from ..kafka.fixtures import three_brokers
from ..waiting import wait_until

__all__ = ["three_brokers"]

PASSWORD = "the forwarder's"
ME = Context(Actor(1, "ann"), correlation_id="request-1")
PER_SECOND = 500
FORWARDERS = 2
RECOVERY_SECONDS = 120.0
KILLS = 50
LAST_WORDS = 20_000
REPOSITORY = Path(__file__).parents[2]


class Role:
    """A process of the chain, started anew when it was killed, as a supervisor does. What it says is kept beside its
    folder.
    """

    def __init__(self, name: str, folder: Path, environment: dict[str, str]) -> None:
        self.name, self.words = name, folder.with_suffix(".log")
        self._environment = environment | {"ANNALS_DATA": str(folder)}
        self._start()

    def kill(self) -> None:
        self._process.kill()
        self._process.wait()
        self._start()

    def stop(self) -> int:
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(60)

    def _start(self) -> None:
        command = [sys.executable, "-m", "cli.main", self.name]
        with self.words.open("ab") as words:
            self._process = subprocess.Popen(
                command, env=self._environment, cwd=REPOSITORY, stdout=words, stderr=subprocess.STDOUT
            )


class Chain:
    """Everything behind the log, on one machine."""

    def __init__(self, url: str, folder: Path, cluster: Cluster) -> None:
        self.cluster = cluster
        self.clickhouse = EndpointProcess(folder / "clickhouse", PASSWORD)
        self.clickhouse.start()
        self.environment = os.environ | {
            "ANNALS_DATABASE_URL": url,
            "ANNALS_CLICKHOUSE_URL": self.clickhouse_url,
            "ANNALS_KAFKA_URL": f"kafka://{cluster.servers}",
            "ANNALS_KAFKA_TOPIC_PREFIX": f"chain-{random.randbytes(4).hex()}.",
        }
        self.roles = [
            Role(name, folder / f"{name}-{number}", self.environment)
            for number, name in enumerate(["relay", *["forward"] * FORWARDERS])
        ]

    @property
    def clickhouse_url(self) -> str:
        return f"http://forwarder:{quote(PASSWORD)}@127.0.0.1:{self.clickhouse.port}"

    def harm(self, link: str) -> None:
        """Kills a link of the chain and lets it come back."""
        if link == "broker":
            broker: Broker = random.choice(self.cluster.brokers)
            broker.kill()
            time.sleep(random.uniform(0, 1))
            broker.start()
            self.cluster.wait()
        elif link == "clickhouse":
            self.clickhouse.kill()
            time.sleep(random.uniform(0, 1))
            self.clickhouse.start()
        else:
            random.choice([role for role in self.roles if role.name == link]).kill()

    def words(self) -> str:
        """What everybody has said lately, for whoever wants to know why a test has failed."""
        files = [role.words for role in self.roles] + [broker.words for broker in self.cluster.brokers]
        return "\n".join(f"==== {file}\n{file.read_text(errors='replace')[-LAST_WORDS:]}" for file in files)

    def stop(self) -> None:
        for role in self.roles:
            assert role.stop() == 0
        self.clickhouse.stop()


@contextmanager
def chain(url: str, folder: Path, cluster: Cluster) -> Iterator[Chain]:
    running = Chain(url, folder, cluster)
    try:
        yield running
    except BaseException as error:
        error.add_note(running.words())
        raise
    finally:
        running.stop()


@contextmanager
def recording(system: System) -> Iterator[None]:
    """People work all the while."""
    stop = threading.Event()

    def work() -> None:
        number = 0
        while not stop.wait(0.1):
            jobs = [random.randint(1, 200) for _ in range(PER_SECOND // 20)]
            moved = [JobStateChanged(job, 7, None, "validation", "completed", "annotation", "new") for job in jobs]
            given = [JobAssigned(job, 7, None, 6, "bob", None) for job in jobs[1:]]
            number += 1
            told = ClientEventsReported(1 + number % 20, "2026-11-21", [], [], None)
            system.app.record(ME, [*moved, *given, told])

    worker = threading.Thread(target=work)
    worker.start()
    try:
        yield
    finally:
        stop.set()
        worker.join()


def head(system: System) -> int:
    return int(system.database.query("SELECT max(position) AS head FROM log.events")[0]["head"])


def held(client: Client) -> int:
    with suppress(Exception):
        return int(client.query("SELECT count() FROM cvat.events WHERE row = 0").result_rows[0][0])
    return 0


def assert_exactly_once(system: System, client: Client) -> None:
    """By the comparison of `annals verify --clickhouse`, and plainly counted in every table without FINAL."""
    with system.database.connect() as connection:
        found = compare(connection, client, Layout(), Expected(), head(system))
    assert (found.difference, found.missing, found.doubled) == (None, 0, 0)
    for name in tables(Layout()):
        doubled = client.query(f"SELECT count() - uniqExact(tuple(*)) FROM cvat.{name}").result_rows
        assert doubled == [(0,)], name


def run(system: System, url: str, folder: Path, cluster: Cluster, links: list[str]) -> None:
    with chain(url, folder, cluster) as running:
        with recording(system):
            for link in links:
                time.sleep(random.uniform(0.2, 2))
                running.harm(link)
        with closing(connect(running.clickhouse_url)) as client:
            wait_until(lambda: held(client) >= head(system), RECOVERY_SECONDS)
            assert_exactly_once(system, client)
        proof = subprocess.run(
            [sys.executable, "-m", "cli.main", "verify", "--clickhouse"],
            env=running.environment | {"ANNALS_DATA": str(folder / "operator")},
            cwd=REPOSITORY,
            capture_output=True,
            text=True,
            check=False,
        )
        assert proof.returncode == 0, proof.stdout
        assert f"positions 1 to {head(system):,}" in " ".join(proof.stdout.split())


LINKS = ["relay", "forward", "clickhouse", "broker"]


@pytest.mark.soak
def test_links_are_killed_at_random(system: System, database_url: str, tmp_path: Path, three_brokers: Cluster) -> None:
    run(system, database_url, tmp_path, three_brokers, random.choices(LINKS, k=KILLS))
