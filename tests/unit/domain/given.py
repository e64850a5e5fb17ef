"""Events that tests start from, with what they are not about filled in."""

from __future__ import annotations

from typing import Any

from domain.event import Actor, Context
from domain.events.data import DataUploaded, Frame, ReceivedFile
from domain.events.job import JobCreated
from domain.events.label import AttributeSpec, LabelsAdded, LabelSpec
from domain.events.project import ProjectCreated
from domain.events.request import RequestQueued
from domain.events.task import TaskCreated
from domain.events.user import UserRegistered

ANN = Context(Actor(1, "ann"))
CAT = 1
"""A label without attributes."""


def user(user_id: int = 1, username: str = "ann") -> UserRegistered:
    return UserRegistered(user_id, username, "", "", "", False, "hash of secret-word")


def project(project_id: int = 3, name: str = "animals") -> ProjectCreated:
    return ProjectCreated(project_id, name, 1, None, "", None, None, None)


def task(task_id: int = 7, project_id: int | None = None, **fields: Any) -> TaskCreated:
    wanted: dict[str, Any] = {
        "name": "cats",
        "owner_id": 1,
        "assignee_id": None,
        "bug_tracker": "",
        "subset": "",
        "segment_size": 0,
        "overlap": None,
        "consensus_replicas": 0,
        "organization_id": None,
        "source_storage": None,
        "target_storage": None,
    }
    return TaskCreated(task_id=task_id, project_id=project_id, **wanted | fields)


def job(job_id: int = 5, task_id: int = 7, frames: tuple[int, int] = (0, 9), **fields: Any) -> JobCreated:
    wanted: dict[str, Any] = {
        "project_id": None,
        "assignee_id": None,
        "stage": "annotation",
        "state": "new",
        "type": "annotation",
        "parent_job_id": None,
    }
    start, stop = frames
    return JobCreated(
        job_id=job_id, task_id=task_id, segment_id=job_id, start_frame=start, stop_frame=stop, **wanted | fields
    )


def label(label_id: int = CAT, name: str = "cat", attributes: list[AttributeSpec] | None = None) -> LabelSpec:
    return LabelSpec(id=label_id, name=name, color="#aabbcc", type="any", attributes=attributes or [])


def labels(*specs: LabelSpec, task_id: int | None = 7, project_id: int | None = None) -> LabelsAdded:
    return LabelsAdded(project_id, None if project_id else task_id, list(specs) or [label()])


def file(name: str, sha256: str = "ab") -> ReceivedFile:
    return ReceivedFile(name=name, sha256=sha256, size=10)


def frame(name: str) -> Frame:
    return Frame(name=name, sha256="ab", size=10, width=640, height=480)


def uploaded(task_id: int = 7, size: int = 4) -> DataUploaded:
    return DataUploaded(
        task_id=task_id,
        project_id=None,
        size=size,
        image_quality=70,
        chunk_size=72,
        start_frame=0,
        stop_frame=size - 1,
        frame_filter="",
        sorting_method="lexicographical",
        media_type="image",
        mode="annotation",
        dimension="2d",
        original_chunk_type="imageset",
        compressed_chunk_type="imageset",
        params={},
    )


def queued(request_id: str = "r", task_id: int | None = 7) -> RequestQueued:
    return RequestQueued(request_id, "import", "create", "task", "", 1, "ann", None, task_id, None, {})


def rectangle(frame: int = 0, **fields: Any) -> dict[str, Any]:
    return {"type": "rectangle", "frame": frame, "label_id": CAT, "points": [1, 2, 30.5, 40], **fields}
