"""The dashboard *Operations*, on a server that is really under load and a Prometheus that really scrapes it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from random import Random
from typing import Any

import httpx
import yaml

from bench.scenarios.tasks import client_of, create
from bench.server import Server, running
from infra.clickhouse.client import connect as connect_clickhouse
from observability.macros import View

from .answers import Answers, Series
from .campaign import answer as answer_of_clickhouse

PROMETHEUS = os.getenv("ANNALS_PICTURES_PROMETHEUS") or shutil.which("prometheus")
PHOTOS = Path(__file__).parents[2] / "examples" / "photos"
SECONDS = 150
"""Of load."""
SCRAPED, STEP, RATED = 2, 3, "12s"
"""Seconds from one scrape to the next, and from one point to the next; the window of rates."""
PAUSE = 0.02
"""Seconds between two saves of one annotator, more or less."""
FORMAT = "CVAT for images 1.1"


@dataclass(frozen=True)
class Live:
    """A while of load that is over, and where to ask about it."""

    prometheus: str
    clickhouse: Any
    since: datetime
    until: datetime

    def answer(self, dashboard: dict[str, Any], panel: dict[str, Any]) -> Answers:
        if panel["datasource"]["type"] != "prometheus":
            view = View(self.since, self.until, interval=STEP)
            return answer_of_clickhouse(self.clickhouse, view, dashboard, panel)
        return Answers(series=[series for target in panel["targets"] for series in self._series(target)])

    def _series(self, target: dict[str, Any]) -> Iterator[Series]:
        query = target["expr"].replace("$__rate_interval", RATED)
        asked = {"query": query, "start": self.since.timestamp(), "end": self.until.timestamp(), "step": STEP}
        answer = httpx.get(f"{self.prometheus}/api/v1/query_range", params=asked).raise_for_status().json()
        for found in answer["data"]["result"]:
            name = target["legendFormat"]
            for label, value in found["metric"].items():
                name = name.replace(f"{{{{{label}}}}}", value)
            points = [(time, float(value)) for time, value in found["values"] if value != "NaN"]
            if points:
                times = [datetime.fromtimestamp(time, UTC) for time, _ in points]
                yield Series(name, times, [value for _, value in points])


@contextmanager
def live(prometheus: str) -> Iterator[Live]:
    """Works on a server of its own for SECONDS. `prometheus`: its program."""
    with running(workers=2) as server, _scraping(prometheus, server) as url:
        since = datetime.now(UTC)
        _work(server)
        until = datetime.now(UTC)
        where = f"http://{server.host}:{server.clickhouse_port}/cvat"
        with closing(connect_clickhouse(where)) as clickhouse:
            yield Live(url, clickhouse, since, until)


@contextmanager
def _scraping(program: str, server: Server) -> Iterator[str]:
    """The URL of a Prometheus that scrapes the server."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        address = f"127.0.0.1:{free.getsockname()[1]}"
    with tempfile.TemporaryDirectory(prefix="annals-prometheus-", ignore_cleanup_errors=True) as folder:
        job = {
            "job_name": "annals-api",
            "authorization": {"type": "Token", "credentials": server.token},
            "static_configs": [{"targets": [f"{server.host}:{server.port}"]}],
        }
        config = Path(folder) / "prometheus.yml"
        config.write_text(yaml.safe_dump({"global": {"scrape_interval": f"{SCRAPED}s"}, "scrape_configs": [job]}))
        command = [
            program,
            f"--config.file={config}",
            f"--storage.tsdb.path={folder}/data",
            f"--web.listen-address={address}",
        ]
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            _await_ready(f"http://{address}/-/ready")
            yield f"http://{address}"
        finally:
            process.terminate()
            process.wait(30)


def _await_ready(url: str) -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        with suppress(httpx.HTTPError):
            if httpx.get(url).is_success:
                return
        time.sleep(0.1)
    raise TimeoutError(f"{url} does not answer")


def _work(server: Server) -> None:
    """People make tasks, look at images, draw and export; some files are damaged, some requests are wrong."""
    stop = threading.Event()
    tasks: list[tuple[int, int]] = []
    with ThreadPoolExecutor(8) as people:
        jobs = [people.submit(_manage, server, stop, tasks)]
        jobs += [people.submit(_annotate, server, stop, tasks, Random(number)) for number in range(6)]
        time.sleep(SECONDS)
        stop.set()
        for job in jobs:
            job.result()


def _manage(server: Server, stop: threading.Event, tasks: list[tuple[int, int]]) -> None:
    client, photos = client_of(server), sorted(path for path in PHOTOS.iterdir() if path.suffix in (".jpg", ".png"))
    with _http(server) as http, tempfile.TemporaryDirectory() as folder:
        damaged = Path(folder) / "street 17.jpg"
        damaged.write_bytes(photos[-1].read_bytes()[:2_000])
        for number in count(1):
            task = create(client, photos, 0)
            (job,) = task.get_jobs()
            tasks.append((job.id, task.get_labels()[0].id))
            export = {"format": FORMAT, "save_images": "true"}
            http.post(f"/api/tasks/{task.id}/dataset/export", params=export).raise_for_status()
            if number % 6 == 0:
                with suppress(Exception):
                    create(client, [damaged], 0)
            if stop.wait(3):
                return


def _annotate(server: Server, stop: threading.Event, tasks: list[tuple[int, int]], random: Random) -> None:
    with _http(server) as http:
        while not stop.wait(PAUSE + random.random() * PAUSE):
            if not tasks:
                continue
            job, label = random.choice(tasks[-4:])
            if random.random() < 0.1:
                http.get(f"/api/jobs/{job}/data", params={"type": "chunk", "number": 0, "quality": "compressed"})
            if random.random() < 0.02:
                http.get("/api/tasks/999999")
            points = [random.randrange(200) for _ in range(4)]
            shape = {"type": "rectangle", "frame": 0, "label_id": label, "points": points}
            body = json.dumps({"shapes": [shape]})
            url = f"/api/jobs/{job}/annotations"
            http.patch(url, params={"action": "create"}, content=body, headers={"content-type": "application/json"})


def _http(server: Server) -> httpx.Client:
    return httpx.Client(base_url=server.url, headers={"Authorization": f"Token {server.token}"}, timeout=30)
