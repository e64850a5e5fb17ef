"""Tasks."""

from __future__ import annotations

from collections.abc import Iterator

from consumers.forwarder.transform import issue, label
from consumers.forwarder.transform.row import Row, described, field_updates, person, transforms
from domain.events.task import TaskChanged, TaskCreated, TaskDeleted, TaskMoved, TaskPurged, TaskRestored

AS_ASKED = (
    "project_id",
    "bug_tracker",
    "overlap",
    "segment_size",
    "subset",
    "organization_id",
    "target_storage",
    "source_storage",
)


@transforms(TaskCreated)
def created(body: TaskCreated) -> list[Row]:
    """`mode` and `dimension` are those of a task without data."""
    payload = {
        "mode": "",
        "dimension": "",
        "status": "annotation",
        "owner": person(body.owner_id),
        "assignee": person(body.assignee_id),
        "organization": body.organization_id,
        "consensus_enabled": body.consensus_replicas > 0,
        "initial_replicas": body.consensus_replicas,
        **described(body, *AS_ASKED),
    }
    return [Row("create:task", body.name, body.task_id, payload=payload)]


@transforms(TaskChanged)
def changed(body: TaskChanged) -> Iterator[Row]:
    return field_updates("update:task", body.changes)


@transforms(TaskMoved)
def moved(body: TaskMoved) -> Iterator[Row]:
    change = {"from": body.previous_project_id, "to": body.project_id}
    return field_updates("update:task", {"project_id": change}, {"labels": body.labels})


@transforms(TaskDeleted)
def deleted(body: TaskDeleted) -> Iterator[Row]:
    """The task, and each label, job and issue that goes with it."""
    yield Row("delete:task", body.name, body.task_id)
    yield from label.gone(body.labels)
    for job_id in body.job_ids:
        yield Row("delete:job", obj_id=job_id, job_id=job_id)
    yield from issue.gone(body.issues)


@transforms(TaskRestored)
def restored(body: TaskRestored) -> Iterator[Row]:
    """The task, and each label, job and issue that comes back with it. The scope is our own, as for everything that is
    restored.
    """
    yield Row("restore:task", body.name, body.task_id)
    yield from label.back(body.labels)
    for job_id in body.job_ids:
        yield Row("restore:job", obj_id=job_id, job_id=job_id)
    yield from issue.back(body.issues)


@transforms(TaskPurged)
def purged(body: TaskPurged) -> list[Row]:
    return [Row("purge:task", body.name, body.task_id)]
