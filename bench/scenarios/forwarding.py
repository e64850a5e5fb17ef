"""The forwarder alone, straight from the log and by way of Kafka: catching up, its memory, its delay under a load."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.parse import quote

import psutil
from clickhouse_connect.driver.client import Client

from bench.report import Figure, Section
from bench.yardstick import yardstick
from cli.bootstrap import System, connect
from cli.rebuilding import prepare
from domain.event import Actor, Context
from domain.events.job import JobAssigned, JobStateChanged
from infra.clickhouse.client import connect as clickhouse
from infra.clickhouse.described import relations
from infra.clickhouse.process import EndpointProcess
from infra.postgres.embedded import EmbeddedPostgres
from tests.campaign import simulate
from tests.kafka.artefacts import NoKafka, broker_jars
from tests.kafka.broker import Cluster

EVENTS = 200_000
LOAD_SECONDS = 20.0
LOAD_RATE = 5_000
BATCH = 50
PASSWORD = "bench"
LOOK_SECONDS = 0.02
ME = Context(Actor(1, "ann"), correlation_id="bench")


def measure() -> Section:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="annals-bench-")))
        postgres = EmbeddedPostgres(folder / "postgres")
        stack.callback(postgres.stop)
        url = postgres.start()
        prepare(url)
        system = connect(url)
        stack.callback(system.close)
        recorded = simulate(system, people=100, days=3, events=EVENTS, seed=1).events
        figures = _figures("from the log", system, url, folder / "direct", recorded, None)
        try:
            cluster = Cluster(broker_jars(), folder / "kafka", 1)
            stack.callback(cluster.stop)
            cluster.start()
            recorded = _head(system)
            figures += _figures("by Kafka", system, url, folder / "by-kafka", recorded, cluster.servers)
        except NoKafka as error:
            print(f"no Kafka, so nothing by way of it: {error}", file=sys.stderr)
        return Section("The forwarder: catching up, and under a load", yardstick(url), figures)


def _figures(how: str, system: System, url: str, folder: Path, recorded: int, kafka: str | None) -> list[Figure]:
    with EndpointProcess(folder / "clickhouse", PASSWORD) as endpoint:
        target = f"http://forwarder:{quote(PASSWORD)}@127.0.0.1:{endpoint.port}"
        client = clickhouse(target)
        with _processes(url, target, folder, kafka) as forwarder:
            while not (first := _held(client)):
                time.sleep(LOOK_SECONDS)
            started, memory = time.perf_counter(), 0.0
            while _held(client) < recorded:
                memory = max(memory, _memory(forwarder))
                time.sleep(LOOK_SECONDS)
            seconds = time.perf_counter() - started
            view, asked = max(_views(client), key=lambda one: one[1])
            lags = _under_load(system, client)
            memory = max(memory, _memory(forwarder))
    return [
        Figure(f"{how}: {recorded:,} events of a campaign that were there before, from the first that can be queried"
               " to the last", f"{(recorded - first) / seconds:,.0f}/s", None, "30,000/s"),
        Figure(f"{how}: most memory of the forwarder with its workers", f"{memory:,.0f} MiB", None, "≤ 300 MiB"),
        Figure(f"{how}: the slowest view on what that gave, {view}", f"{asked * 1e3:,.0f} ms", None, "≤ 1 s"),
        Figure(f"{how}: recorded → in a query at {LOAD_RATE:,} events/s, p50 / p99",
               f"{lags[len(lags) // 2] * 1e3:,.0f} / {lags[int(len(lags) * 0.99)] * 1e3:,.0f} ms", None, "p99 ≤ 1 s"),
    ]  # fmt: skip


@contextmanager
def _processes(url: str, target: str, folder: Path, kafka: str | None) -> Iterator[int]:
    """A forwarder as a process of its own, and a relay if there is a Kafka. Yields the forwarder's process id."""
    environment = os.environ | {
        "ANNALS_DATABASE_URL": url, "ANNALS_CLICKHOUSE_URL": target, "ANNALS_DATA": str(folder / "data"),
    }  # fmt: skip
    if kafka:
        environment |= {"ANNALS_KAFKA_URL": f"kafka://{kafka}"}
    roles = ["relay", "forward"] if kafka else ["forward"]
    running = [
        subprocess.Popen(
            [sys.executable, "-m", "cli.main", role],
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for role in roles
    ]
    try:
        yield running[-1].pid
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(60)


def _under_load(system: System, client: Client) -> list[float]:
    """Seconds from when a batch was recorded until its last event is found, of all batches, in order of size."""
    waiting: list[tuple[int, float]] = []
    lags: list[float] = []
    began, sent, batches = time.perf_counter(), 0, int(LOAD_SECONDS * LOAD_RATE / BATCH)
    while sent < batches or waiting:
        due = min(batches, int((time.perf_counter() - began) * LOAD_RATE / BATCH))
        waiting += [(_record(system), time.perf_counter()) for _ in range(due - sent)]
        sent = max(sent, due)
        held, now = _held(client), time.perf_counter()
        while waiting and waiting[0][0] <= held:
            lags.append(now - waiting.pop(0)[1])
        time.sleep(LOOK_SECONDS)
    return sorted(lags)


def _record(system: System) -> int:
    jobs = range(1, BATCH // 2 + 1)
    moved = [JobStateChanged(job, 7, None, "validation", "completed", "annotation", "new") for job in jobs]
    given = [JobAssigned(job, 7, None, 6, "bob", None) for job in jobs]
    return system.app.record(ME, [*moved, *given])[-1].position


def _head(system: System) -> int:
    return int(system.database.query("SELECT max(position) AS head FROM log.events")[0]["head"])


def _held(client: Client) -> int:
    """How many events can be queried; all positions up to it, as long as none is lost."""
    try:
        return int(client.command("SELECT count() FROM cvat.events WHERE row = 0"))
    except Exception:
        return 0


def _views(client: Client) -> Iterator[tuple[str, float]]:
    """Each, and how many seconds an answer of it takes."""
    for relation in relations():
        if relation.kind == "view":
            began = time.perf_counter()
            client.query(f"SELECT * FROM cvat.{relation.name} LIMIT 10")
            yield relation.name, time.perf_counter() - began


def _memory(process: int) -> float:
    """MiB of a process and its children. What they share is counted more than once."""
    try:
        family = [psutil.Process(process), *psutil.Process(process).children(recursive=True)]
        return sum(one.memory_info().rss for one in family) / 1024 / 1024
    except psutil.NoSuchProcess:  # one of them has just ended
        return 0.0
