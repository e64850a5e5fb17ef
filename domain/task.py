"""Tasks: a set of media to annotate, under labels of their own or of a project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from domain import label_spec
from domain.annotation.document import LabelSpecs
from domain.deletion import Deletion, deletion
from domain.edits import differences
from domain.errors import Conflict, Invalid, NotFound
from domain.event import Body, Context
from domain.events.label import LabelsAdded, NamedLabel
from domain.events.project import ProjectCreated, ProjectDeleted, ProjectRestored
from domain.events.task import TaskChanged, TaskCreated, TaskDeleted, TaskMoved, TaskPurged, TaskRestored
from domain.job import known_username
from domain.label import Labels
from domain.ports import LabelParent, Log
from domain.retry import decide_again
from domain.task_move import relabeled, relabeling

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
    if isinstance(body, TaskMoved):
        return replace(task, project_id=body.project_id)
    if isinstance(body, TaskDeleted):
        return replace(task, deleted=True)
    if isinstance(body, TaskRestored):
        return replace(task, deleted=False)
    return task


def _project_stands(stands: bool, body: Body) -> bool:
    return isinstance(body, ProjectCreated | ProjectRestored) or (stands and not isinstance(body, ProjectDeleted))


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
    if wanted.project_id is not None and wanted.labels:
        raise Invalid(["Project must have only one of Label set or project_id"])
    if wanted.consensus_replicas == 1 or not 0 <= wanted.consensus_replicas <= MAX_REPLICAS:
        raise Invalid({"consensus_replicas": [f"Must be 0 or 2 to {MAX_REPLICAS}."]})
    label_spec.check(wanted.labels, frozenset())


def edit(task: Task, wanted: dict[str, Any], names: Mapping[str, str | None]) -> list[Body]:
    """`names`: of the users that fields of `wanted` refer to."""
    changes = differences(task.fields, wanted, names)
    return [TaskChanged(task.task_id, task.project_id, changes)] if changes else []


class Tasks:
    """The use cases of tasks."""

    def __init__(self, log: Log) -> None:
        self._log, self._labels = log, Labels(log)

    @decide_again
    def create(self, context: Context, wanted: NewTask) -> int:
        """Returns the task's id. Raises Invalid; nothing is recorded then."""
        check(wanted)
        known_username(self._log, "assignee_id", wanted.assignee_id)
        task_id = self._log.ids.one("task")
        expect = {f"task-{task_id}": 0}
        if wanted.project_id is not None and not self._stands(wanted.project_id, expect):
            raise Invalid({"project_id": [f'Invalid pk "{wanted.project_id}" - object does not exist.']})
        bodies: list[Body] = [self._created(context, task_id, wanted)]
        if wanted.labels:
            bodies.append(LabelsAdded(None, task_id, label_spec.define(wanted.labels, self._log.ids)))
        self._log.record(context, bodies, expect)
        return task_id

    @decide_again
    def update(
        self,
        context: Context,
        task_id: int,
        wanted: dict[str, Any],
        labels: Sequence[Mapping[str, Any]] = (),
        project_id: int | None = None,
    ) -> None:
        """`wanted`: some of EDITABLE. `labels`: edits, as `label_change` takes them. `project_id`: where the task is to
        go; then `labels` say only under what names its labels go there. Raises NotFound, Invalid, VersionConflict.
        """
        task, version = self.require(task_id)
        expect = {f"task-{task_id}": version}
        names = {field: known_username(self._log, field, wanted.get(field)) for field in ("owner_id", "assignee_id")}
        bodies = edit(task, wanted, names)
        if project_id is not None and project_id != task.project_id:
            bodies += self._moved(task, project_id, labels, expect)
        elif labels and task.project_id is not None:
            raise Invalid({"labels": ["A task in a project has the labels of the project: edit them there"]})
        elif labels:
            bodies += self._labels.edited(LabelParent(None, task_id), labels, expect)
        if bodies:
            self._log.record(context, bodies, expect)

    @decide_again
    def delete(self, context: Context, task_id: int) -> None:
        """With its jobs. Raises NotFound."""
        expect: dict[str, int] = {}
        job_ids = self._log.lookup.jobs_of([task_id])[task_id]
        self._log.record(context, [self.deleted(task_id, job_ids, expect)], expect)

    @decide_again
    def restore(self, context: Context, task_id: int) -> None:
        """With the jobs that were deleted with it. Raises NotFound, Conflict."""
        expect: dict[str, int] = {}
        body = self.restored(task_id, expect)
        if body.project_id is not None and not self._stands(body.project_id, expect):
            raise Conflict(f"project-{body.project_id} is deleted: restore it first")
        self._log.record(context, [body], expect)

    @decide_again
    def purge(self, context: Context, task_id: int) -> None:
        """Raises NotFound, and Conflict for a task that is not deleted or was purged before."""
        gone = self._deletion(task_id)
        body = TaskPurged(task_id, gone.body.project_id, gone.body.name, gone.body.job_ids, gone.position)
        self._log.record(context, [body], {body.stream: gone.version})

    def deleted(self, task_id: int, job_ids: list[int], expect: dict[str, int]) -> TaskDeleted:
        """The event that deletes a task; `expect` learns what it was decided on. Raises NotFound."""
        task, expect[f"task-{task_id}"] = self.require(task_id)
        labels = self._own_labels(task_id, task.project_id, expect)
        issues = self._log.lookup.issues_in(job_ids)
        return TaskDeleted(task_id, task.project_id, task.fields["name"], job_ids, labels, issues)

    def restored(self, task_id: int, expect: dict[str, int]) -> TaskRestored:
        """The event that brings a task back; `expect` learns what it was decided on. Raises NotFound, Conflict."""
        gone = self._deletion(task_id)
        expect[f"task-{task_id}"] = gone.version
        project_id, name, job_ids = gone.body.project_id, gone.body.name, gone.body.job_ids
        labels = self._own_labels(task_id, project_id, expect)
        return TaskRestored(task_id, project_id, name, job_ids, gone.position, labels, gone.body.issues)

    def require(self, task_id: int) -> tuple[Task, int]:
        """State and version. Raises NotFound, for deleted tasks too."""
        task, version = self._log.load(f"task-{task_id}", evolve, None)
        if task is None or task.deleted:
            raise NotFound
        return task, version

    def _moved(
        self, task: Task, project_id: int, wanted: Sequence[Mapping[str, Any]], expect: dict[str, int]
    ) -> list[Body]:
        """The events that take a task to a project; `expect` learns what they were decided on. Raises Invalid."""
        if not self._stands(project_id, expect):
            raise Invalid({"project_id": [f'Invalid pk "{project_id}" - object does not exist.']})
        source = self._labels.of(LabelParent(task.project_id, None if task.project_id else task.task_id), expect)
        target = self._labels.of(LabelParent(project_id, None), expect)
        mapping = relabeling(source, target, wanted)
        specs = LabelSpecs.from_rows(target.labels.values())
        job_ids: list[int] = []
        changes: list[Body] = []
        for drawn in self._log.lookup.drawn(task.task_id):
            job_ids.append(drawn.job_id)
            expect[f"annotations-{drawn.job_id}"] = drawn.version
            changes += relabeled(drawn, mapping, specs, project_id)
        return [TaskMoved(task.task_id, project_id, task.project_id, job_ids, *mapping.pairs()), *changes]

    def _own_labels(self, task_id: int, project_id: int | None, expect: dict[str, int]) -> list[NamedLabel]:
        return [] if project_id else self._labels.names(LabelParent(None, task_id), expect)

    def _deletion(self, task_id: int) -> Deletion[TaskDeleted]:
        return deletion(self._log, f"task-{task_id}", TaskDeleted, TaskRestored, TaskPurged)

    def _stands(self, project_id: int, expect: dict[str, int]) -> bool:
        """Whether there is such a project; `expect` learns in what version."""
        stands, expect[f"project-{project_id}"] = self._log.load(f"project-{project_id}", _project_stands, False)
        return stands

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
