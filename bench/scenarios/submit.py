"""Annotation submits of 10 rectangles: PATCH /api/jobs/{id}/annotations?action=create."""

from __future__ import annotations

import tempfile
from copy import copy
from pathlib import Path

import orjson
from cvat_sdk.core.proxies.tasks import Task

from bench.load import Load, Make, run
from bench.report import Figure, Section
from bench.scenarios.tasks import client_of, create, tiny_pictures
from bench.server import Server, running
from bench.yardstick import yardstick

SECONDS = 6.0
GOAL = "≥ 0.5 (CVAT: 0.018), p99 ≤ 100 ms"


def measure() -> Section:
    with running(workers=2) as server, tempfile.TemporaryDirectory() as folder:
        client = client_of(server)
        pictures = tiny_pictures(Path(folder), 1_000)
        hundred = create(client, pictures[:100], 1)
        thousand = create(client, pictures, 1)
        jobs, many = Jobs(hundred), Jobs(thousand)
        yard = yardstick(server.database_url)
        figures = [
            _figure("1 client, 100-job task", load(server, 1, jobs), yard),
            _figure("8 clients, 100-job task", load(server, 8, jobs), yard),
            _figure("32 clients, 100-job task", load(server, 32, jobs), yard, GOAL),
            _figure("32 clients, 1,000-job task", load(server, 32, many), yard, "≥ 0.5 (CVAT: 0.007)"),
            _figure("32 clients, one job", load(server, 32, jobs.first()), yard, "≥ 0.4"),
        ]
    return Section("Annotation submit, 10 rectangles, 2 API processes", yard, figures)


class Jobs:
    """The jobs of a task, and a body that fits its labels."""

    def __init__(self, task: Task) -> None:
        self.ids = sorted(job.id for job in task.get_jobs())
        self.label = task.get_labels()[0].id
        rectangle = {"type": "rectangle", "frame": 0, "label_id": self.label}
        self.body = orjson.dumps({"shapes": [rectangle | {"points": [1.5, n, 20.25, n + 9]} for n in range(10)]})

    def first(self) -> Jobs:
        one = copy(self)
        one.ids = self.ids[:1]
        return one


def load(server: Server, clients: int, jobs: Jobs, seconds: float = SECONDS) -> Load:
    result = run(server.host, server.port, server.token, clients, seconds, _patch(jobs.ids, jobs.body))
    if result.failures:
        raise RuntimeError(result.failures[0])
    return result


def _patch(jobs: list[int], body: bytes) -> Make:
    def make(client: int, number: int) -> tuple[str, str, bytes]:
        job = jobs[(client * 31 + number) % len(jobs)]
        return "PATCH", f"/api/jobs/{job}/annotations?action=create", body

    return make


def _figure(what: str, load: Load, yard: float, goal: str = "") -> Figure:
    value = f"{load.rate:,.0f}/s, p50 {load.percentile(50) * 1e3:.1f} ms, p99 {load.percentile(99) * 1e3:.1f} ms"
    return Figure(what, value, load.rate / yard, goal)
