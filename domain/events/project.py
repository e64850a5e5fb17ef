"""What happens to projects. Stream: `project-<id>`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from domain.event import Body, event_type


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
    """Fields of a project were edited. `changes`: field → {"from": old, "to": new}."""

    project_id: int
    changes: dict[str, dict[str, Any]]


@event_type("ProjectDeleted")
@dataclass(frozen=True)
class ProjectDeleted(ProjectBody):
    """A project was deleted, with its tasks (each has its own `TaskDeleted`)."""

    project_id: int
    name: str
