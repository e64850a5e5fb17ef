"""Projects: tasks that share labels."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

from domain import label_spec
from domain.deletion import deletion
from domain.edits import differences
from domain.errors import Conflict, NotFound
from domain.event import Body, Context
from domain.events.label import LabelsAdded
from domain.events.project import ProjectChanged, ProjectCreated, ProjectDeleted, ProjectRestored
from domain.job import known_username
from domain.label import Labels
from domain.ports import LabelParent, Log
from domain.retry import decide_again
from domain.task import Tasks


@dataclass(frozen=True)
class Project:
    """What decisions need to know of a project."""

    project_id: int
    fields: dict[str, Any]
    deleted: bool = False


EDITABLE = ("name", "owner_id", "assignee_id", "bug_tracker", "source_storage", "target_storage")


def evolve(project: Project | None, body: Body) -> Project | None:
    if isinstance(body, ProjectCreated):
        return Project(body.project_id, {field: getattr(body, field) for field in EDITABLE})
    if project is None:
        return None
    if isinstance(body, ProjectChanged):
        return replace(project, fields=project.fields | {field: change["to"] for field, change in body.changes.items()})
    if isinstance(body, ProjectDeleted):
        return replace(project, deleted=True)
    if isinstance(body, ProjectRestored):
        return replace(project, deleted=False)
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
        self._log, self._tasks, self._labels = log, Tasks(log), Labels(log)

    def create(self, context: Context, wanted: NewProject) -> int:
        """Returns the project's id. Raises Invalid."""
        known_username(self._log, "assignee_id", wanted.assignee_id)
        label_spec.check(wanted.labels, frozenset())
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
            bodies.append(LabelsAdded(project_id, None, label_spec.define(wanted.labels, self._log.ids)))
        self._log.record(context, bodies, {bodies[0].stream: 0})
        return project_id

    @decide_again
    def update(
        self, context: Context, project_id: int, wanted: dict[str, Any], labels: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        """`wanted`: some of EDITABLE. `labels`: edits, as `label_change` takes them. Raises NotFound, Invalid."""
        project, version = self.require(project_id)
        expect = {f"project-{project_id}": version}
        names = {field: known_username(self._log, field, wanted.get(field)) for field in ("owner_id", "assignee_id")}
        changes = differences(project.fields, wanted, names)
        bodies: list[Body] = [ProjectChanged(project_id, changes)] if changes else []
        if labels:
            bodies += self._labels.edited(LabelParent(project_id, None), labels, expect)
        if bodies:
            self._log.record(context, bodies, expect)

    @decide_again
    def delete(self, context: Context, project_id: int) -> None:
        """With its tasks. Raises NotFound."""
        project, version = self.require(project_id)
        expect = {f"project-{project_id}": version}
        task_ids = self._log.lookup.tasks_in(project_id)
        bodies: list[Body] = []
        for task_id, job_ids in self._log.lookup.jobs_of(task_ids).items():
            bodies.append(self._tasks.deleted(task_id, job_ids, expect))
        labels = self._labels.names(LabelParent(project_id, None), expect)
        bodies.append(ProjectDeleted(project_id, project.fields["name"], task_ids, labels))
        self._log.record(context, bodies, expect)

    @decide_again
    def restore(self, context: Context, project_id: int) -> None:
        """With the tasks that were deleted with it. Raises NotFound, Conflict."""
        stream = f"project-{project_id}"
        gone = deletion(self._log, stream, ProjectDeleted, ProjectRestored)
        expect = {stream: gone.version}
        labels = self._labels.names(LabelParent(project_id, None), expect)
        bodies: list[Body] = [ProjectRestored(project_id, gone.body.name, gone.position, labels)]
        for task_id in gone.body.task_ids:
            with suppress(Conflict):  # of a task that was purged
                bodies.append(self._tasks.restored(task_id, expect))
        self._log.record(context, bodies, expect)

    def require(self, project_id: int) -> tuple[Project, int]:
        """State and version. Raises NotFound, for deleted ones too."""
        project, version = self._log.load(f"project-{project_id}", evolve, None)
        if project is None or project.deleted:
            raise NotFound
        return project, version
