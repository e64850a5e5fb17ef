"""What happens to projects. Stream: `project-<id>`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from domain.event import Body, event_type, upcaster
from domain.events.label import NamedLabel


class ProjectBody(Body):
    __slots__ = ()
    project_id: int

    @property
    def stream(self) -> str:
        return f"project-{self.project_id}"


@event_type("ProjectCreated")
@dataclass(frozen=True)
class ProjectCreated(ProjectBody):
    """A project was opened. Its labels follow as `LabelsAdded`. Storages are CVAT's storage objects, or None."""

    project_id: int
    name: str
    owner_id: int | None
    assignee_id: int | None
    bug_tracker: str
    organization_id: int | None
    source_storage: dict[str, Any] | None
    target_storage: dict[str, Any] | None


@event_type("ProjectChanged")
@dataclass(frozen=True)
class ProjectChanged(ProjectBody):
    """Fields of a project were edited. `changes`: field → {"from": old, "to": new}; for a user with their `name`."""

    project_id: int
    changes: dict[str, dict[str, Any]]


@event_type("ProjectDeleted", version=3)
@dataclass(frozen=True)
class ProjectDeleted(ProjectBody):
    """A project was deleted, with its labels, and with its tasks: each has its own `TaskDeleted`, recorded with this
    event.
    """

    project_id: int
    name: str
    task_ids: list[int]
    labels: list[NamedLabel]


@upcaster("ProjectDeleted", 1)
def _with_task_ids(fields: dict[str, Any]) -> dict[str, Any]:
    """Version 1 did not say which tasks went with the project."""
    return {**fields, "task_ids": []}


@event_type("ProjectRestored", version=2)
@dataclass(frozen=True)
class ProjectRestored(ProjectBody):
    """A deleted project came back, with its labels; the tasks that had gone with it follow as `TaskRestored`.
    `deletion`: the position of its `ProjectDeleted`.
    """

    project_id: int
    name: str
    deletion: int
    labels: list[NamedLabel]


@upcaster("ProjectDeleted", 2)
@upcaster("ProjectRestored", 1)
def _with_labels(fields: dict[str, Any]) -> dict[str, Any]:
    """Versions before did not say which labels the project has."""
    return {**fields, "labels": []}
