"""The forwarder: how fast it catches up, and how long a single event takes until a query sees it."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from uuid import uuid4

import clickhouse_connect
import httpx
from clickhouse_connect.driver.client import Client as ClickHouse

from bench.report import Figure, Section
from bench.scenarios.submit import Jobs, load
from bench.scenarios.tasks import client_of, create, tiny_pictures
from bench.server import Server, running
from bench.yardstick import yardstick

SINGLE_EVENTS = 100
LOAD_SECONDS = 10.0


def measure() -> Section:
    with running(workers=2) as server, tempfile.TemporaryDirectory() as folder:
        client = client_of(server)
        jobs = Jobs(create(client, tiny_pictures(Path(folder), 100), 1))
        analytics = clickhouse_connect.get_client(host=server.host, port=server.clickhouse_port)
        lags = sorted(_lag(server, analytics) for _ in range(SINGLE_EVENTS))
        before = _events(analytics)
        started = time.perf_counter()
        submits = load(server, 32, jobs, LOAD_SECONDS)
        written = len(submits.latencies)
        while _events(analytics) < before + written:
            time.sleep(0.02)
        seconds = time.perf_counter() - started
        yard = yardstick(server.database_url)
    figures = [
        Figure("one event, recorded → in a query, p50", f"{lags[len(lags) // 2] * 1e3:.0f} ms", None, ""),
        Figure("one event, recorded → in a query, p99", f"{lags[-2] * 1e3:.0f} ms", None, "≤ 1 s"),
        Figure(
            "under 32 clients' submits: events per second written and forwarded",
            f"{written / seconds:,.0f}/s; all in {max(0.0, seconds - LOAD_SECONDS) * 1e3:.0f} ms after the load ended",
        ),
    ]
    return Section("Analytics: log → ClickHouse", yard, figures)


def _lag(server: Server, analytics: ClickHouse) -> float:
    """Seconds from the answer to a write until ClickHouse shows its event."""
    name = f"lag {uuid4()}"
    headers = {"Authorization": f"Token {server.token}"}
    httpx.post(f"{server.url}/api/tasks", json={"name": name, "labels": []}, headers=headers).raise_for_status()
    started = time.perf_counter()
    query = "SELECT count() FROM cvat.events WHERE obj_name = {name:String}"
    while not analytics.query(query, parameters={"name": name}).first_row[0]:
        time.sleep(0.002)
    return time.perf_counter() - started


def _events(analytics: ClickHouse) -> int:
    return int(analytics.query("SELECT uniqExact(position) FROM cvat.events").first_row[0])
