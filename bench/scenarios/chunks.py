"""Chunks of real photos: prepared at the first request, from the cache afterwards."""

from __future__ import annotations

import time
from pathlib import Path

import httpx

from bench.load import run
from bench.report import Figure, Section
from bench.scenarios.tasks import client_of, create
from bench.server import running
from bench.yardstick import yardstick

EXAMPLES = Path(__file__).parents[2] / "examples" / "photos"


def measure() -> Section:
    with running(workers=2) as server:
        client = client_of(server)
        samples = sorted(path for path in EXAMPLES.iterdir() if path.suffix in (".jpg", ".png"))
        headers = {"Authorization": f"Token {server.token}"}
        cold, warm = [], []
        path = ""
        for _ in range(5):
            task = create(client, samples, 0)
            path = f"/api/tasks/{task.id}/data/?type=chunk&number=0&quality=compressed"
            with httpx.Client(base_url=server.url, headers=headers) as http:
                http.get("/api/server/about")
                cold.append(_timed(http, path))
                warm.extend(_timed(http, path) for _ in range(10))
        load = run(server.host, server.port, server.token, 30, 4.0, lambda _client, _number: ("GET", path, b""))
        yard = yardstick(server.database_url)
    figures = [
        Figure("cold", f"{sorted(cold)[2] * 1e3:.0f} ms (median of 5)", None, "≤ 80 ms for 10 photos (CVAT: 235 ms)"),
        Figure("warm", f"{sorted(warm)[25] * 1e3:.1f} ms (median of 50)", None, "≤ 5 ms (CVAT: 25 ms)"),
        Figure("warm, 30 readers", f"{load.rate:,.0f}/s", None, "≥ 600/s (CVAT: 68/s)"),
    ]
    return Section("A chunk of the 7 example photos, compressed", yard, figures)


def _timed(http: httpx.Client, path: str) -> float:
    started = time.perf_counter()
    http.get(path).raise_for_status()
    return time.perf_counter() - started
