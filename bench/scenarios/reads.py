"""What clients ask most: a job, a page of jobs; and a small write, the state of a job."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

from bench.load import run
from bench.report import Figure, Section
from bench.scenarios.tasks import client_of, create, tiny_pictures
from bench.server import running
from bench.yardstick import yardstick


def measure() -> Section:
    with running(workers=2) as server, tempfile.TemporaryDirectory() as folder:
        client = client_of(server)
        pictures = tiny_pictures(Path(folder), 1_000)
        tasks = [create(client, pictures, 1) for _ in range(6)]
        jobs = sorted(job.id for job in tasks[0].get_jobs())
        yard = yardstick(server.database_url)
        load = partial(run, server.host, server.port, server.token, 8, 4.0)
        one = load(lambda client, number: ("GET", f"/api/jobs/{jobs[(client * 99 + number) % 1000]}", b""))
        page = load(lambda _client, _number: ("GET", "/api/jobs?page_size=100", b""))
        states = (b'{"state":"in progress"}', b'{"state":"completed"}')
        move = load(lambda client, n: ("PATCH", f"/api/jobs/{jobs[(client * 120 + n // 2) % 1000]}", states[n % 2]))
    paged = f"{page.rate:,.0f}/s, p50 {page.percentile(50) * 1e3:.1f} ms"
    figures = [
        Figure("GET one job, 8 clients", f"{one.rate:,.0f}/s", None, "≥ 1,000/s (CVAT: 63/s)"),
        Figure("GET 100 of 6,000 jobs, 8 clients", paged, None, "≥ 300/s (CVAT: 19/s)"),
        Figure("PATCH state, 1,000-job task, 8 clients", f"{move.rate:,.0f}/s", move.rate / yard, "≥ 0.4 (CVAT: 15/s)"),
    ]
    return Section("Reads, and job states", yard, figures)
