"""Rebuilding projections of a log of a million events while somebody writes, and verifying a loaded server."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path

import psutil
import psycopg

from bench import long_log
from bench.report import Figure, Section
from bench.scenarios.submit import Jobs, load
from bench.scenarios.tasks import client_of, create, tiny_pictures
from bench.server import Server, running
from bench.writers import ME
from bench.yardstick import yardstick
from cli.bootstrap import System, connect
from cli.rebuilding import prepare, replay
from domain.job import STATES
from infra.postgres.embedded import EmbeddedPostgres
from projections.projection import Projection
from projections.registry import REGISTRY

EVENTS = 1_000_000
OBJECTS = EVENTS * long_log.JOBS * long_log.SUBMITS * long_log.SHAPES // 109
ANNOTATIONS = [REGISTRY["annotations"]]
SMALL = [projection for name, projection in REGISTRY.items() if name not in ("annotations", "data")]


def measure() -> Section:
    with tempfile.TemporaryDirectory(prefix="annals-bench-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        with EmbeddedPostgres(Path(folder) / "postgres").attach_or_start() as url:
            long_log.write(url, EVENTS)
            first = _timed(lambda: prepare(url))
            yard = yardstick(url)
            small, annotations = _Replay(url, SMALL), _Replay(url, ANNOTATIONS)
    verify, what = _verification()
    waited = max(small.waited, annotations.waited)
    figures = [
        Figure(f"all projections of {EVENTS:,} events, at a start", f"{first:.0f} s: {EVENTS / first:,.0f} events/s"),
        Figure("the small ones (users, projects, tasks, jobs, labels, requests)", small.rate(EVENTS, "events"), None,
            "30,000 events/s per core"),
        Figure("annotations", annotations.rate(OBJECTS, "objects"), None, "100,000 objects/s"),
        Figure("the longest that a writer waited meanwhile", f"{waited * 1e3:.0f} ms", None, "200 ms"),
        Figure(f"verify of {what}, ClickHouse included", f"{verify:.1f} s"),
    ]  # fmt: skip
    return Section("Replay and verification", yard, figures)


class _Replay:
    """One replay, beside somebody who changes a job's state again and again."""

    def __init__(self, url: str, projections: Sequence[Projection]) -> None:
        self.waited = 0.0
        self._stop = threading.Event()
        system = connect(url, 2)
        writer = threading.Thread(target=self._write, args=(system,))
        process, before = psutil.Process(), psutil.Process().cpu_times()
        writer.start()
        self._seconds = _timed(lambda: replay(url, projections))
        self._stop.set()
        writer.join()
        system.close()
        after = process.cpu_times()
        self._cpu = after.user + after.system - before.user - before.system

    def rate(self, count: int, noun: str) -> str:
        return f"{count / self._seconds:,.0f} {noun}/s ({self._seconds:.0f} s, {self._cpu:.0f} s of Python's CPU)"

    def _write(self, system: System) -> None:
        number = 0
        while not self._stop.wait(0.01):
            started = time.perf_counter()
            system.app.jobs.update(ME, 1, state=STATES[number % 2])
            self.waited = max(self.waited, time.perf_counter() - started)
            number += 1


def _timed(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


def _verification() -> tuple[float, str]:
    with running(workers=2) as server, tempfile.TemporaryDirectory() as folder:
        jobs = Jobs(create(client_of(server), tiny_pictures(Path(folder), 1_000), 1))
        load(server, 32, jobs, 15.0)
        with psycopg.connect(server.database_url) as connection:
            row = connection.execute("SELECT count(*) FROM log.events").fetchone()
        return _command(server, "verify"), f"{row[0] if row else 0:,} events"


def _command(server: Server, command: str) -> float:
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "cli.main", command, "--data", str(server.data)], check=True, capture_output=True
    )
    return time.perf_counter() - started
