"""Tasks: a set of media to annotate, under labels of their own or of a project."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from domain import label
from domain import project as projects
from domain.errors import Invalid, NotFound
from domain.event import Body, Context
from domain.events.label import LabelsAdded
from domain.events.task import TaskChanged, TaskCreated, TaskDeleted
from domain.job import known_username
from domain.ports import Log
from domain.retry import decide_again

MAX_REPLICAS = 11


@dataclass(frozen=True)
class Task:
    """What decisions need to know of a task."""

    task_id: int
    project_id: int | None
    fields: dict[str, Any]
    segment_size: int
    overlap: int | None
    consensus_replicas: int
    deleted: bool = False


def evolve(task: Task | None, body: Body) -> Task | None:
    if isinstance(body, TaskCreated):
        fields = {field: getattr(body, field) for field in EDITABLE}
        return Task(body.task_id, body.project_id, fields, body.segment_size, body.overlap, body.consensus_replicas)
    if task is None:
        return None
    if isinstance(body, TaskChanged):
        return replace(task, fields=task.fields | {field: change["to"] for field, change in body.changes.items()})
    if isinstance(body, TaskDeleted):
        return replace(task, deleted=True)
    return task


EDITABLE = ("name", "owner_id", "assignee_id", "bug_tracker", "subset", "source_storage", "target_storage")


@dataclass(frozen=True)
class NewTask:
    """A task as asked for. `overlap` None: as fits the media."""

    name: str
    labels: list[dict[str, Any]]
    project_id: int | None = None
    assignee_id: int | None = None
    bug_tracker: str = ""
    subset: str = ""
    segment_size: int = 0
    overlap: int | None = None
    consensus_replicas: int = 0
    source_storage: dict[str, Any] | None = None
    target_storage: dict[str, Any] | None = None


def check(wanted: NewTask) -> None:
    projects.check_own_labels(wanted.project_id, wanted.labels)
    if wanted.consensus_replicas == 1 or not 0 <= wanted.consensus_replicas <= MAX_REPLICAS:
        raise Invalid({"consensus_replicas": [f"Must be 0 or 2 to {MAX_REPLICAS}."]})
    label.check(wanted.labels, frozenset())


def edit(task: Task, wanted: dict[str, Any]) -> list[Body]:
    """Only what really changes is recorded."""
    changes = {
        field: {"from": task.fields[field], "to": value}
        for field, value in wanted.items()
        if task.fields[field] != value
    }
    return [TaskChanged(task.task_id, task.project_id, changes)] if changes else []


class Tasks:
    """The use cases of tasks."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def create(self, context: Context, wanted: NewTask) -> int:
        """Returns the task's id. Raises Invalid; nothing is recorded then."""
        check(wanted)
        known_username(self._log, "assignee_id", wanted.assignee_id)
        if wanted.project_id is not None:
            self._require_project(wanted.project_id)
        task_id = self._log.ids.one("task")
        bodies: list[Body] = [self._created(context, task_id, wanted)]
        if wanted.labels:
            bodies.append(LabelsAdded(None, task_id, label.define(wanted.labels, self._log.ids)))
        self._log.record(context, bodies, {f"task-{task_id}": 0})
        return task_id

    @decide_again
    def update(self, context: Context, task_id: int, wanted: dict[str, Any]) -> None:
        """`wanted`: some of EDITABLE. Raises NotFound, Invalid, VersionConflict."""
        task, version = self.require(task_id)
        for field in ("owner_id", "assignee_id"):
            known_username(self._log, field, wanted.get(field))
        bodies = edit(task, wanted)
        if bodies:
            self._log.record(context, bodies, {f"task-{task_id}": version})

    @decide_again
    def delete(self, context: Context, task_id: int, job_ids: list[int]) -> None:
        """`job_ids`: the task's jobs; they go with it. Raises NotFound."""
        task, version = self.require(task_id)
        body = TaskDeleted(task_id, task.project_id, task.fields["name"], job_ids)
        self._log.record(context, [body], {body.stream: version})

    def require(self, task_id: int) -> tuple[Task, int]:
        """State and version. Raises NotFound, for deleted tasks too."""
        task, version = self._log.load(f"task-{task_id}", evolve, None)
        if task is None or task.deleted:
            raise NotFound
        return task, version

    def _require_project(self, project_id: int) -> None:
        project, _ = self._log.load(f"project-{project_id}", projects.evolve, None)
        if project is None or project.deleted:
            raise Invalid({"project_id": [f'Invalid pk "{project_id}" - object does not exist.']})

    @staticmethod
    def _created(context: Context, task_id: int, wanted: NewTask) -> TaskCreated:
        return TaskCreated(
            task_id=task_id,
            project_id=wanted.project_id,
            name=wanted.name,
            owner_id=context.actor.user_id,
            assignee_id=wanted.assignee_id,
            bug_tracker=wanted.bug_tracker,
            subset=wanted.subset,
            segment_size=wanted.segment_size,
            overlap=wanted.overlap,
            consensus_replicas=wanted.consensus_replicas,
            organization_id=context.actor.organization_id,
            source_storage=wanted.source_storage,
            target_storage=wanted.target_storage,
        )
