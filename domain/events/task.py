"""What happens to tasks. Stream: `task-<id>`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from domain.event import Body, event_type, upcaster
from domain.events.issue import GoneIssue
from domain.events.label import NamedLabel


class TaskBody(Body):
    __slots__ = ()
    task_id: int

    @property
    def stream(self) -> str:
        return f"task-{self.task_id}"


@event_type("TaskCreated")
@dataclass(frozen=True)
class TaskCreated(TaskBody):
    """A task was created, still without data. `segment_size` and `overlap` are as asked for; `JobsSplit` has the
    effective values. Its own labels, if any, follow as `LabelsAdded`.
    """

    task_id: int
    project_id: int | None
    name: str
    owner_id: int | None
    assignee_id: int | None
    bug_tracker: str
    subset: str
    segment_size: int
    overlap: int | None
    consensus_replicas: int
    organization_id: int | None
    source_storage: dict[str, Any] | None
    target_storage: dict[str, Any] | None


@event_type("TaskChanged")
@dataclass(frozen=True)
class TaskChanged(TaskBody):
    """Fields of a task were edited. `changes`: field → {"from": old, "to": new}; for a user with their `name`."""

    task_id: int
    project_id: int | None
    changes: dict[str, dict[str, Any]]


@event_type("TaskMoved")
@dataclass(frozen=True)
class TaskMoved(TaskBody):
    """A task went to a project. Its jobs (`job_ids`) use that project's labels from now on: `labels` pairs each label
    that they had with the one that took its place, `attributes` likewise. What was drawn follows, relabeled, as
    `AnnotationsChanged`.
    """

    task_id: int
    project_id: int
    previous_project_id: int | None
    job_ids: list[int]
    labels: list[list[int]]
    attributes: list[list[int]]


@event_type("TaskDeleted", version=3)
@dataclass(frozen=True)
class TaskDeleted(TaskBody):
    """A task was deleted, with its jobs, their annotations and `issues`, and its own `labels`. Its history and blobs
    stay.
    """

    task_id: int
    project_id: int | None
    name: str
    job_ids: list[int]
    labels: list[NamedLabel]
    issues: list[GoneIssue] = field(default_factory=list)


@event_type("TaskRestored", version=3)
@dataclass(frozen=True)
class TaskRestored(TaskBody):
    """A deleted task came back, with all that had gone with it. `deletion`: the position of its `TaskDeleted`."""

    task_id: int
    project_id: int | None
    name: str
    job_ids: list[int]
    deletion: int
    labels: list[NamedLabel]
    issues: list[GoneIssue] = field(default_factory=list)


@upcaster("TaskDeleted", 1)
@upcaster("TaskRestored", 1)
def _with_labels(fields: dict[str, Any]) -> dict[str, Any]:
    """Version 1 did not say which labels the task has of its own."""
    return {**fields, "labels": []}


@upcaster("TaskDeleted", 2)
@upcaster("TaskRestored", 2)
def _with_issues(fields: dict[str, Any]) -> dict[str, Any]:
    """Versions before did not say which issues the jobs have."""
    return {**fields, "issues": []}


@event_type("TaskPurged")
@dataclass(frozen=True)
class TaskPurged(TaskBody):
    """The frames and annotations of a deleted task were removed for good, and the blobs that nothing else uses. The
    events stay. `deletion`: the position of its `TaskDeleted`.
    """

    task_id: int
    project_id: int | None
    name: str
    job_ids: list[int]
    deletion: int
