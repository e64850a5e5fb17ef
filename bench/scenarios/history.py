"""Large jobs and long histories: 100,000 shapes put and read; the past of a job that was saved 10,000 times."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

import httpx
import orjson

from bench.load import run
from bench.report import Figure, Section
from bench.scenarios.tasks import client_of, create, tiny_pictures
from bench.server import Server, running
from bench.yardstick import yardstick

SHAPES = 100_000
SAVES = 10_000
CLIENTS = 8


def measure() -> Section:
    with running(workers=1) as server, tempfile.TemporaryDirectory() as folder:
        task = create(client_of(server), tiny_pictures(Path(folder), 10), 5)
        label = task.get_labels()[0].id
        large, long = sorted(job.id for job in task.get_jobs())
        with httpx.Client(base_url=server.url, headers={"Authorization": f"Token {server.token}"}, timeout=120) as http:
            figures = [*_large(http, f"/api/jobs/{large}/annotations", label, 0)]
            figures += _long(http, server, f"/api/jobs/{long}/annotations", label, 5)
        yard = yardstick(server.database_url)
    return Section("Large jobs and long histories, 1 API process", yard, figures)


def _large(http: httpx.Client, url: str, label: int, frame: int) -> list[Figure]:
    body = _shapes(SHAPES, label, frame)
    put = _seconds(lambda: http.put(url, content=body))
    get = _seconds(lambda: http.get(url))
    return [
        Figure(f"PUT {SHAPES:,} shapes of one job", f"{put:.2f} s", None, "≤ 4 s (CVAT: 14 s)"),
        Figure(f"GET {SHAPES:,} shapes of one job", f"{get:.2f} s", None, "≤ 0.7 s (CVAT: 3.5 s)"),
    ]


def _long(http: httpx.Client, server: Server, url: str, label: int, frame: int) -> list[Figure]:
    body = _shapes(SHAPES // SAVES, label, frame)
    while (head := _version(http, url)) < SAVES:
        run(server.host, server.port, server.token, CLIENTS, 1.0, lambda *_: ("PATCH", f"{url}?action=create", body))
    old = head - head // 10
    half, one = head // 2, {"page_size": 1}
    last = orjson.loads(http.get(url).content)["shapes"][-1]["id"]
    timed: list[tuple[str, Callable[[], httpx.Response], str]] = [
        ("the present", lambda: http.get(url), "≤ 1 s"),
        ("an old version", lambda: http.get(url, params={"version": old}), "≤ 3 s"),
        ("the first page of the history", lambda: http.get(f"{url}/history"), ""),
        ("the life of one shape", lambda: http.get(f"{url}/history/shape/{last}", params=one), ""),
        ("diff of an old version and the present", lambda: http.get(f"{url}/diff", params={"from": old}), ""),
        ("restore of a version, back and forth", lambda: _restore(http, url, half, head), ""),
    ]
    what = f"{head:,} saves, {head * (SHAPES // SAVES):,} shapes: "
    return [Figure(what + name, f"{_seconds(ask):.2f} s", None, goal) for name, ask, goal in timed]


def _restore(http: httpx.Client, url: str, half: int, head: int) -> httpx.Response:
    http.post(f"{url}/restore", json={"version": half}).raise_for_status()
    return http.post(f"{url}/restore", json={"version": head})


def _version(http: httpx.Client, url: str) -> int:
    return int(http.get(url).headers["ETag"].strip('"'))


def _shapes(count: int, label: int, frame: int) -> bytes:
    rectangle: dict[str, Any] = {"type": "rectangle", "label_id": label}
    places = ((frame + n % 5, [1.5, n / 7, 20.25, n / 7 + 9]) for n in range(count))
    return orjson.dumps({"shapes": [rectangle | {"frame": at, "points": points} for at, points in places]})


def _seconds(ask: Callable[[], httpx.Response], times: int = 3) -> float:
    """The median of some."""
    taken = []
    for _ in range(times):
        started = time.perf_counter()
        ask().raise_for_status()
        taken.append(time.perf_counter() - started)
    return median(taken)
