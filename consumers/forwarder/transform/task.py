"""Tasks."""

from __future__ import annotations

from collections.abc import Iterator

from consumers.forwarder.transform import label
from consumers.forwarder.transform.row import Row, described, field_updates, transforms
from domain.events.task import TaskChanged, TaskCreated, TaskDeleted, TaskMoved, TaskPurged, TaskRestored


@transforms(TaskCreated)
def created(body: TaskCreated) -> list[Row]:
    fields = (
        "name",
        "owner_id",
        "assignee_id",
        "bug_tracker",
        "subset",
        "segment_size",
        "overlap",
        "consensus_replicas",
        "organization_id",
        "source_storage",
        "target_storage",
    )
    return [Row("create:task", body.name, body.task_id, payload=described(body, *fields))]


@transforms(TaskChanged)
def changed(body: TaskChanged) -> Iterator[Row]:
    return field_updates("update:task", body.changes)


@transforms(TaskMoved)
def moved(body: TaskMoved) -> Iterator[Row]:
    change = {"from": body.previous_project_id, "to": body.project_id}
    return field_updates("update:task", {"project_id": change}, {"labels": body.labels})


@transforms(TaskDeleted)
def deleted(body: TaskDeleted) -> Iterator[Row]:
    """The task, and each label and job that goes with it."""
    yield Row("delete:task", body.name, body.task_id)
    yield from label.gone(body.labels)
    for job_id in body.job_ids:
        yield Row("delete:job", obj_id=job_id, job_id=job_id)


@transforms(TaskRestored)
def restored(body: TaskRestored) -> Iterator[Row]:
    """The task, and each label and job that comes back with it. The scope is our own, as for everything that is
    restored.
    """
    yield Row("restore:task", body.name, body.task_id)
    yield from label.back(body.labels)
    for job_id in body.job_ids:
        yield Row("restore:job", obj_id=job_id, job_id=job_id)


@transforms(TaskPurged)
def purged(body: TaskPurged) -> list[Row]:
    return [Row("purge:task", body.name, body.task_id)]
