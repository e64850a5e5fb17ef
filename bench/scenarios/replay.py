"""Rebuilding every projection from the log, and verifying the whole."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg

from bench.report import Figure, Section
from bench.scenarios.submit import Jobs, load
from bench.scenarios.tasks import client_of, create, tiny_pictures
from bench.server import Server, running
from bench.yardstick import yardstick


def measure() -> Section:
    with running(workers=2) as server, tempfile.TemporaryDirectory() as folder:
        jobs = Jobs(create(client_of(server), tiny_pictures(Path(folder), 1_000), 1))
        load(server, 32, jobs, 15.0)
        with psycopg.connect(server.database_url) as connection:
            events, objects = connection.execute(
                "SELECT (SELECT count(*) FROM log.events), (SELECT count(*) FROM read.annotations)"
            ).fetchone() or (0, 0)
        replay, verify = _timed(server, "replay"), _timed(server, "verify")
        yard = yardstick(server.database_url)
    what = f"{events:,} events, {objects:,} annotation objects"
    rate = f"{events / replay:,.0f} events/s, {objects / replay:,.0f} objects/s"
    figures = [
        Figure(f"replay of all projections, {what}", f"{replay:.1f} s: {rate}", None, "30,000 small events/s"),
        Figure("verify of the same, ClickHouse included", f"{verify:.1f} s"),
    ]
    return Section("Replay and verification, on one core", yard, figures)


def _timed(server: Server, command: str) -> float:
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "cli.main", command, "--data", str(server.data)], check=True, capture_output=True
    )
    return time.perf_counter() - started
