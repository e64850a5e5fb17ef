"""The forwarder alone, straight from the log and by way of Kafka: catching up, its memory, its delay under a load; and
how fast the relay fills Kafka, which is done before the forwarder begins.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
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
from tests.kafka.prepared import prepared

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
            jars = broker_jars()
            cluster = Cluster(jars, folder / "kafka", 1)
            stack.callback(cluster.stop)
            cluster.start(prepared(jars))
            recorded = _head(system)
            figures += _figures("by Kafka", system, url, folder / "by-kafka", recorded, cluster.servers)
        except NoKafka as error:
            print(f"no Kafka, so nothing by way of it: {error}", file=sys.stderr)
        return Section("The forwarder: catching up, and under a load", yardstick(url), figures)


def _figures(how: str, system: System, url: str, folder: Path, recorded: int, kafka: str | None) -> list[Figure]:
    figures = []
    with EndpointProcess(folder / "clickhouse", PASSWORD) as endpoint, ExitStack() as running:
        target = f"http://forwarder:{quote(PASSWORD)}@127.0.0.1:{endpoint.port}"
        client, environment = clickhouse(target), _environment(url, target, folder, kafka)
        if kafka:
            running.enter_context(_process("relay", environment))
            relayed = _rate(lambda: _relayed(system), recorded)
            figures = [Figure(f"the relay: {recorded:,} events from the log to Kafka", f"{relayed:,.0f}/s")]
        with _process("forward", environment) as forwarder:
            memory = 0.0

            def held() -> int:
                nonlocal memory
                memory = max(memory, _memory(forwarder))
                return _held(client)

            rate = _rate(held, recorded)
            view, asked = max(_views(client), key=lambda one: one[1])
            lags = _under_load(system, client)
            memory = max(memory, _memory(forwarder))
    return [
        *figures,
        Figure(f"{how}: {recorded:,} events of a campaign that were there before, from the first that can be queried"
               " to the last", f"{rate:,.0f}/s", None, "30,000/s"),
        Figure(f"{how}: most memory of the forwarder with its workers", f"{memory:,.0f} MiB", None, "≤ 300 MiB"),
        Figure(f"{how}: the slowest view on what that gave, {view}", f"{asked * 1e3:,.0f} ms", None, "≤ 1 s"),
        Figure(f"{how}: recorded → in a query at {LOAD_RATE:,} events/s, p50 / p99",
               f"{lags[len(lags) // 2] * 1e3:,.0f} / {lags[int(len(lags) * 0.99)] * 1e3:,.0f} ms", None, "p99 ≤ 1 s"),
    ]  # fmt: skip


def _environment(url: str, target: str, folder: Path, kafka: str | None) -> dict[str, str]:
    environment = os.environ | {
        "ANNALS_DATABASE_URL": url, "ANNALS_CLICKHOUSE_URL": target, "ANNALS_DATA": str(folder / "data"),
    }  # fmt: skip
    return environment | ({"ANNALS_KAFKA_URL": f"kafka://{kafka}"} if kafka else {})


@contextmanager
def _process(role: str, environment: dict[str, str]) -> Iterator[int]:
    """One of Annals' roles. Yields its process id."""
    process = subprocess.Popen(
        [sys.executable, "-m", "cli.main", role],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process.pid
    finally:
        process.terminate()
        process.wait(60)


def _rate(done: Callable[[], int], everything: int) -> float:
    """How many a second, from the first on."""
    while not (first := done()):
        time.sleep(LOOK_SECONDS)
    started = time.perf_counter()
    while done() < everything:
        time.sleep(LOOK_SECONDS)
    return (everything - first) / (time.perf_counter() - started)


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


def _relayed(system: System) -> int:
    rows = system.database.query("SELECT position FROM log.checkpoints WHERE consumer = 'relay'")
    return int(rows[0]["position"]) if rows else 0


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
