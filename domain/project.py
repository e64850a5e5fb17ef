"""Projects: tasks that share labels."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from domain import label
from domain.errors import Invalid, NotFound
from domain.event import Body, Context
from domain.events.label import LabelDeleted, LabelsAdded
from domain.events.project import ProjectCreated, ProjectDeleted
from domain.job import known_username
from domain.ports import Log


@dataclass(frozen=True)
class Project:
    """What decisions need to know of a project."""

    project_id: int
    name: str
    label_names: frozenset[str] = frozenset()
    deleted: bool = False


def evolve(project: Project | None, body: Body) -> Project | None:
    if isinstance(body, ProjectCreated):
        return Project(body.project_id, body.name)
    if project is None:
        return None
    if isinstance(body, LabelsAdded):
        names = project.label_names | {spec["name"] for spec in body.labels}
        return Project(project.project_id, project.name, names)
    if isinstance(body, LabelDeleted):
        return Project(project.project_id, project.name, project.label_names - {body.name})
    if isinstance(body, ProjectDeleted):
        return Project(project.project_id, project.name, deleted=True)
    return project


@dataclass(frozen=True)
class NewProject:
    """A project as asked for."""

    name: str
    labels: list[dict[str, Any]]
    assignee_id: int | None = None
    bug_tracker: str = ""
    source_storage: dict[str, Any] | None = None
    target_storage: dict[str, Any] | None = None


class Projects:
    """The use cases of projects."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def create(self, context: Context, wanted: NewProject) -> int:
        """Returns the project's id. Raises Invalid."""
        known_username(self._log, "assignee_id", wanted.assignee_id)
        label.check(wanted.labels, frozenset())
        project_id = self._log.ids.one("project")
        bodies: list[Body] = [
            ProjectCreated(
                project_id,
                wanted.name,
                context.actor.user_id,
                wanted.assignee_id,
                wanted.bug_tracker,
                context.actor.organization_id,
                wanted.source_storage,
                wanted.target_storage,
            )
        ]
        if wanted.labels:
            bodies.append(LabelsAdded(project_id, None, label.define(wanted.labels, self._log.ids)))
        self._log.record(context, bodies, {bodies[0].stream: 0})
        return project_id

    def require(self, project_id: int) -> Project:
        """Raises NotFound, for deleted ones too."""
        project, _ = self._log.load(f"project-{project_id}", evolve, None)
        if project is None or project.deleted:
            raise NotFound
        return project


def check_own_labels(project_id: int | None, labels: list[dict[str, Any]]) -> None:
    """A task has labels of its own, or a project that has them; never both."""
    if project_id is not None and labels:
        raise Invalid(["Project must have only one of Label set or project_id"])
