"""A history to look at, and the command to look at it with."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from cli.bootstrap import System
from domain.event import SYSTEM, Actor, Body, Context
from domain.events.data import DataUploaded, FilesReceived, Frame, FramesAdded, JobsSplit, ReceivedFile
from domain.events.job import JobCreated
from domain.events.request import RequestFinished, RequestQueued, RequestStarted
from domain.events.user import UserRegistered
from domain.task import NewTask
from infra.blobs import FileBlobs

from ..warm import warm_program

REPOSITORY = Path(__file__).parents[2]
REQUEST = "action=create&target=task&target_id={}"

Annals = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def annals(database_url: str, data_folder: Path) -> Annals:
    """Runs the command on this test's database and data folder, as a person or a script would."""
    environment = {**os.environ, "ANNALS_DATABASE_URL": database_url, "ANNALS_DATA": str(data_folder)}
    environment |= {"PYTHONPATH": str(REPOSITORY), "TZ": "UTC"}

    def run(*arguments: str, stdin: str = "", **settings: str) -> subprocess.CompletedProcess[str]:
        return warm_program().run(arguments, environment | settings, stdin)

    return run


@dataclass(frozen=True)
class MainJob:
    """Photos went in, jobs came out, one was annotated and accepted."""

    system: System
    blobs: FileBlobs
    admin: Context
    task_id: int
    job_ids: list[int]
    photos: list[Frame]


@pytest.fixture
def main_job(system: System, data_folder: Path) -> MainJob:
    app, blobs = system.app, FileBlobs(data_folder / "blobs")
    (user_id,) = app.ids.many("user", 1)
    # Recorded as it is: making a real password hash takes longer than all the rest.
    app.record(Context(SYSTEM), [UserRegistered(user_id, "admin", "", "", "", True, "a password hash")])
    admin = Context(Actor(user_id, "admin", is_admin=True), correlation_id="first-request", user_agent="a test")
    app.users.log_in(admin, user_id)
    task_id = app.tasks.create(admin, NewTask("photos", [{"name": "cat"}, {"name": "dog"}], segment_size=2))
    photos = [_photo(blobs, number) for number in range(4)]
    job_ids = app.ids.many("job", 2)
    app.record(admin, _sent(task_id, photos))
    app.record(Context(admin.actor, "worker"), _prepared(task_id, photos, job_ids))
    row = system.database.query_one("SELECT id FROM labels ORDER BY id LIMIT 1")
    assert row is not None
    shapes = [{"type": "rectangle", "frame": n, "label_id": row["id"], "points": [1, 2, 3.5, 4]} for n in (0, 1)]
    app.annotations.create(admin, job_ids[0], {"shapes": shapes, "tags": [{"frame": 0, "label_id": row["id"]}]})
    app.jobs.update(admin, job_ids[0], stage="acceptance", state="completed")
    return MainJob(system, blobs, admin, task_id, job_ids, photos)


def _photo(blobs: FileBlobs, number: int) -> Frame:
    blob = blobs.put([b"photo", str(number).encode()])
    return Frame(name=f"photo{number}.jpg", sha256=blob.sha256, size=blob.size, width=640, height=480)


def _sent(task_id: int, photos: list[Frame]) -> list[Body]:
    files = [ReceivedFile(name=photo["name"], sha256=photo["sha256"], size=photo["size"]) for photo in photos]
    ids = {"owner_id": 1, "owner": "admin", "project_id": None, "task_id": task_id, "job_id": None}
    queued = RequestQueued(REQUEST.format(task_id), "import", "create", "task", "", params={}, **ids)
    return [FilesReceived(task_id, files), queued]


def _prepared(task_id: int, photos: list[Frame], job_ids: list[int]) -> list[Body]:
    size, request_id = len(photos), REQUEST.format(task_id)
    uploaded = DataUploaded(
        task_id, None, size, 70, 36, 0, size - 1, "", "lexicographical",
        media_type="image", mode="annotation", dimension="2d",
        original_chunk_type="imageset", compressed_chunk_type="imageset", params={},
    )  # fmt: skip
    jobs = [
        JobCreated(job_id, task_id, None, job_id, "annotation", 2 * n, 2 * n + 1, None, "annotation", "new", None)
        for n, job_id in enumerate(job_ids)
    ]
    split = JobsSplit(task_id, 2, 0, len(jobs))
    end = RequestFinished(request_id, task_id, {})
    return [RequestStarted(request_id, "agent-1", 1), uploaded, FramesAdded(task_id, 0, photos), split, *jobs, end]
