"""Annotations out and in, each from the POST to the finished request, polling included."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import orjson

from bench.report import Figure, Section
from bench.scenarios.tasks import client_of, create, tiny_pictures
from bench.server import running
from bench.yardstick import yardstick
from infra.formats.registry import exporters, importers

FRAMES = 1_000
SHAPES = 10
"""On each frame."""

RUNS = 5
GOALS = {
    "CVAT for images 1.1": "≤ 0.5 s (CVAT: 2.4 to 2.8 s)",
    "CVAT 1.1": "≤ 1 s (CVAT: 6.5 s)",
}


def measure() -> Section:
    with running(workers=1) as server, tempfile.TemporaryDirectory() as folder:
        task = create(client_of(server), tiny_pictures(Path(folder), FRAMES), 0)
        url, label = f"/api/tasks/{task.id}", task.get_labels()[0].id
        with httpx.Client(base_url=server.url, headers={"Authorization": f"Token {server.token}"}, timeout=120) as http:
            http.put(f"{url}/annotations/", content=_shapes(label)).raise_for_status()
            figures = []
            files: dict[str, bytes] = {}
            for exporter in (exporter for exporter in exporters() if exporter.format.enabled):
                name = exporter.format.full_name
                taken, files[name] = _exported(http, url, name)
                figures.append(_figure("export", name, taken))
            for importer in (importer for importer in importers() if importer.format.enabled):
                name = importer.format.full_name
                content = files.get(name, files["CVAT for images 1.1"])
                figures.append(_figure("import", name, _imported(http, url, name, content)))
        yard = yardstick(server.database_url)
    return Section(f"Annotations out and in: {FRAMES:,} frames, {FRAMES * SHAPES:,} shapes", yard, figures)


def _figure(what: str, name: str, seconds: float) -> Figure:
    return Figure(f"{what}, {name}", f"{seconds:.2f} s (median)", None, GOALS.get(name, ""))


def _exported(http: httpx.Client, url: str, name: str) -> tuple[float, bytes]:
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        request = _ended(http, http.post(f"{url}/dataset/export", params={"format": name, "save_images": "False"}))
        times.append(time.perf_counter() - started)
    return median(times), http.get(request["result_url"]).raise_for_status().content


def _imported(http: httpx.Client, url: str, name: str, content: bytes) -> float:
    times = []
    for _ in range(RUNS):
        started = time.perf_counter()
        file = {"annotation_file": ("annotations.zip", content)}
        _ended(http, http.post(f"{url}/annotations/", params={"format": name}, files=file))
        times.append(time.perf_counter() - started)
    return median(times)


def _ended(http: httpx.Client, queued: httpx.Response) -> dict[str, Any]:
    request_id = queued.raise_for_status().json()["rq_id"]
    while (request := http.get(f"/api/requests/{request_id}").json())["status"] in ("queued", "started"):
        pass
    assert request["status"] == "finished", request["message"]
    return dict(request)


def _shapes(label: int) -> bytes:
    rectangle: dict[str, Any] = {"type": "rectangle", "label_id": label}
    places = ((n % FRAMES, [1.5, n / 7, 20.25, n / 7 + 9]) for n in range(FRAMES * SHAPES))
    return orjson.dumps({"shapes": [rectangle | {"frame": at, "points": points} for at, points in places]})
