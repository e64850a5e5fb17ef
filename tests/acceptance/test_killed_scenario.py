"""Everything is killed with -9 while people upload photos and annotate; then the server starts again."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
from cvat_sdk import make_client, models

from ..waiting import wait_until
from .conftest import Served

PHOTOS = sorted((Path(__file__).parents[2] / "examples" / "photos").glob("*.*g"))
SHAPES = 3


@dataclass
class Work:
    """What clients did, as far as the server acknowledged it."""

    tasks: list[int] = field(default_factory=list)
    complete: dict[int, int] = field(default_factory=dict)
    """Task → its jobs, once its data was reported as ready."""
    shapes: dict[int, list[int]] = field(default_factory=dict)
    """Job → ids of the shapes whose submit was answered."""
    states: dict[int, str] = field(default_factory=dict)


def people(server: Served, work: Work) -> list[threading.Thread]:
    """An uploader, and annotators in the jobs of the first task; each goes on until the server is gone."""
    jobs, label = first_task(server, work)
    ways = [lambda: upload(server, work), *(lambda job=job: annotate(server, work, job, label) for job in jobs)]
    threads = [threading.Thread(target=until_gone, args=(way,)) for way in ways]
    for thread in threads:
        thread.start()
    return threads


def until_gone(way: Callable[[], None]) -> None:
    try:
        while True:
            way()
    except Exception:  # whatever the client says about a server that was killed
        return


def create(server: Served, work: Work) -> Any:
    password = (server.data / "admin-password").read_text().strip()
    with make_client(server.url, credentials=("admin", password)) as client:
        task = client.tasks.create(
            models.TaskWriteRequest(name="photos", labels=[models.PatchedLabelRequest(name="thing")], segment_size=2)
        )
        work.tasks.append(task.id)
        task.upload_data(PHOTOS, params={"image_quality": 70})
        task.fetch()
        work.complete[task.id] = len(task.get_jobs())
        return task


def upload(server: Served, work: Work) -> None:
    create(server, work)


def first_task(server: Served, work: Work) -> tuple[list[int], int]:
    task = create(server, work)
    with server.http() as http:
        jobs = [job["id"] for job in http.get("/api/jobs", params={"task_id": task.id}).json()["results"]]
        label = http.get("/api/labels", params={"task_id": task.id}).json()["results"][0]["id"]
    return jobs, label


def annotate(server: Served, work: Work, job: int, label: int) -> None:
    shape = {"type": "rectangle", "frame": 0, "label_id": label, "points": [1, 2, 30, 40]}
    with server.http() as http:
        while True:
            answer = http.patch(
                f"/api/jobs/{job}/annotations", params={"action": "create"}, json={"shapes": [shape] * SHAPES}
            )
            answer.raise_for_status()
            work.shapes.setdefault(job, []).extend(found["id"] for found in answer.json()["shapes"])
            state = "in progress" if work.states.get(job) != "in progress" else "completed"
            http.patch(f"/api/jobs/{job}", json={"state": state}).raise_for_status()
            work.states[job] = state


def check(server: Served, work: Work) -> None:
    with server.http() as http:
        for job, acknowledged in work.shapes.items():
            standing = Counter(shape["id"] for shape in http.get(f"/api/jobs/{job}/annotations").json()["shapes"])
            assert set(acknowledged) <= standing.keys(), "an acknowledged shape is gone"
            assert max(standing.values()) == 1
            assert len(standing) % SHAPES == 0, "half of a submit is there"
        for task in work.tasks:
            wait_until(lambda task=task: settled(http, task))
            check_task(http, task, work.complete.get(task))


def settled(http: httpx.Client, task: int) -> bool:
    """No request is under way: what an agent had in hand when it was killed has been done again."""
    found = http.get("/api/requests", params={"task_id": task}).json()["results"]
    return all(request["status"] in ("finished", "failed") for request in found)


def check_task(http: httpx.Client, task: int, jobs: int | None) -> None:
    found = http.get(f"/api/tasks/{task}").json()
    count = http.get("/api/jobs", params={"task_id": task}).json()["count"]
    assert found["jobs"]["count"] == count
    if jobs is not None:
        assert count == jobs
    # Either it still waits for data, or it has all of it.
    assert (found.get("size"), count) in ((None, 0), (len(PHOTOS), -(-len(PHOTOS) // 2)))


def test_nothing_acknowledged_is_lost_and_nothing_is_half_there(serve: Callable[..., Served]) -> None:
    kill_and_check(serve, 0.7)


@pytest.mark.soak
@pytest.mark.parametrize("round_", range(20))
def test_nor_at_any_other_moment(serve: Callable[..., Served], round_: int) -> None:
    kill_and_check(serve, random.Random(round_).uniform(0.0, 3.0))


def kill_and_check(serve: Callable[..., Served], seconds: float) -> None:
    server, work = serve("--workers", "2").ready(), Work()
    threads = people(server, work)
    wait_until(lambda: work.shapes)
    time.sleep(seconds)  # in the middle of whatever they do
    server.kill()
    for thread in threads:
        thread.join(60)
    again = serve("--workers", "2").ready()
    check(again, work)
    proof = again.verify("--blobs")
    assert proof.returncode == 0, proof.stdout
