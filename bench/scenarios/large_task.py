"""A task of 100,000 one-frame jobs: making it, and lists of that many jobs."""

from __future__ import annotations

import os
import statistics
import tempfile
import time
from pathlib import Path

import av
import httpx
import numpy as np

from bench.report import Figure, Section
from bench.scenarios.tasks import client_of
from bench.server import Server, running
from bench.yardstick import yardstick

JOBS = 100_000
ROUNDS = 40
QUERIES = {
    "newest first": "",
    "last page": f"&page={JOBS // 100}",
    "by date of change": "&sort=-updated_date",
    "by assignee, one state": "&sort=assignee&state=new",
    "JSON Logic, sorted": '&sort=-updated_date&filter={"and":[{"<":[{"var":"id"},50000]},{"!":{"var":"assignee"}}]}',
    "search": "&search=large",
}


def measure() -> Section:
    os.environ["ANNALS_MAX_JOBS_PER_TASK"] = str(JOBS)
    with running(workers=2) as server, tempfile.TemporaryDirectory() as folder:
        yard = yardstick(server.database_url)
        video = _video(Path(folder) / "large.mp4")
        seconds = _created(server, video)
        created = Figure(f"a video's {JOBS:,} frames → {JOBS:,} jobs", f"{seconds:.1f} s", None, "≤ 20 s")
        with httpx.Client(base_url=server.url, headers={"Authorization": f"Token {server.token}"}, timeout=60) as http:
            lists = [_listed(http, name, query) for name, query in QUERIES.items()]
    del os.environ["ANNALS_MAX_JOBS_PER_TASK"]
    return Section("Large tasks, long lists", yard, [created, *lists])


def _created(server: Server, video: Path) -> float:
    client = client_of(server)
    task = client.tasks.create({"name": "large", "labels": [{"name": "car"}], "segment_size": 1, "overlap": 0})
    began = time.perf_counter()
    task.upload_data([video], params={"image_quality": 70, "use_zip_chunks": True}, status_check_period=1)
    seconds = time.perf_counter() - began
    task.fetch()
    if task.jobs.count != JOBS:
        raise RuntimeError(f"{task.jobs.count} jobs were made, not {JOBS}")
    return seconds


def _listed(http: httpx.Client, name: str, query: str) -> Figure:
    times = []
    for _ in range(ROUNDS):
        began = time.perf_counter()
        http.get(f"/api/jobs?page_size=100{query}").raise_for_status()
        times.append(time.perf_counter() - began)
    p95 = statistics.quantiles(times, n=20)[-1] * 1e3
    value = f"p50 {statistics.median(times) * 1e3:.0f} ms, p95 {p95:.0f} ms"
    return Figure(f"GET 100 of {JOBS:,} jobs, {name}", value, None, "p95 ≤ 50 ms")


def _video(path: Path) -> Path:
    """Tiny frames: what is measured is not the decoding."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=30)
        stream.width = stream.height = 32
        stream.pix_fmt = "yuv420p"
        stream.options = {"preset": "ultrafast", "g": "50"}
        for number in range(JOBS):
            pixels = np.full((32, 32, 3), number % 255, np.uint8)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(pixels, format="rgb24")))
        container.mux(stream.encode())
    return path
