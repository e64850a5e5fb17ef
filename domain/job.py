"""Jobs: who has one, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from domain.deletion import deletion
from domain.errors import Conflict, Invalid
from domain.event import Body, Context
from domain.events.job import JobAssigned, JobDeleted, JobRestored, JobStateChanged
from domain.events.task import TaskCreated, TaskDeleted, TaskMoved, TaskRestored
from domain.ports import JobPlace, Log
from domain.retry import decide_again

STAGES = ("annotation", "validation", "acceptance")
STATES = ("new", "in progress", "completed", "rejected")


def status(stage: str, state: str) -> str:
    """CVAT's derived status of a job: annotation, validation or completed."""
    if stage == "annotation":
        return "annotation"
    return "completed" if (stage, state) == ("acceptance", "completed") else "validation"


def move(job: JobPlace, stage: str | None, state: str | None) -> list[Body]:
    """Every transition is accepted; a change of stage without a state starts the stage anew."""
    if stage is not None and stage not in STAGES:
        raise Invalid({"stage": [f'"{stage}" is not a valid choice.']})
    if state is not None and state not in STATES:
        raise Invalid({"state": [f'"{state}" is not a valid choice.']})
    to_stage = stage or job.stage
    to_state = state or ("new" if to_stage != job.stage else job.state)
    if (to_stage, to_state) == (job.stage, job.state):
        return []
    return [JobStateChanged(job.job_id, job.task_id, job.project_id, to_stage, to_state, job.stage, job.state)]


def assign(job: JobPlace, assignee_id: int | None, assignee: str | None) -> list[Body]:
    """Handing a job to whoever has it already changes nothing."""
    if assignee_id == job.assignee_id:
        return []
    return [JobAssigned(job.job_id, job.task_id, job.project_id, assignee_id, assignee, job.assignee_id)]


@dataclass(frozen=True)
class Unchanged:
    """Stands for a field that a command leaves as it is, where None means something."""


UNCHANGED = Unchanged()


class Jobs:
    """The use cases of jobs."""

    def __init__(self, log: Log) -> None:
        self._log = log

    @decide_again
    def update(
        self,
        context: Context,
        job_id: int,
        *,
        stage: str | None = None,
        state: str | None = None,
        assignee_id: int | Unchanged | None = UNCHANGED,
    ) -> None:
        """Raises NotFound, Invalid, VersionConflict."""
        job = self._log.lookup.job_place(job_id, fresh=True)
        bodies = move(job, stage, state)
        if not isinstance(assignee_id, Unchanged):
            bodies += assign(job, assignee_id, known_username(self._log, "assignee", assignee_id))
        if bodies:
            self._log.record(context, bodies, job.versions)

    @decide_again
    def delete(self, context: Context, job_id: int) -> None:
        """With its annotations. Jobs that cover the task's frames stay: only ground truth can be taken away, unless
        other jobs show it. Raises NotFound, Invalid.
        """
        job = self._log.lookup.job_place(job_id, fresh=True)
        if job.type != "ground_truth":
            raise Invalid(["Only ground truth jobs can be removed"])
        if self._log.lookup.validation(job.task_id).mode == "gt_pool":
            raise Invalid(['GT jobs cannot be removed when task validation mode is "gt_pool"'])
        issues = self._log.lookup.issues_in([job_id])
        body = JobDeleted(job_id, job.task_id, job.project_id, job.stage, job.state, issues)
        self._log.record(context, [body], job.versions)

    @decide_again
    def restore(self, context: Context, job_id: int) -> None:
        """With its annotations. Raises NotFound, Conflict."""
        stream = f"job-{job_id}"
        gone = deletion(self._log, stream, JobDeleted, JobRestored)
        job = gone.body
        task, task_version = self._log.load(f"task-{job.task_id}", _task, _Task())
        if task.deleted:
            raise Conflict(f"task-{job.task_id} is deleted: restore it first")
        if task.project_id != job.project_id:
            raise Conflict(f"task-{job.task_id} went to another project: the labels that were used here are not there")
        validation = self._log.lookup.validation(job.task_id)
        if validation.job_id is not None:
            raise Conflict(f"task-{job.task_id} has another ground truth job: job-{validation.job_id}")
        body = JobRestored(job_id, job.task_id, job.project_id, job.stage, job.state, gone.position, job.issues)
        expect = {**validation.versions, stream: gone.version, f"task-{job.task_id}": task_version}
        self._log.record(context, [body], expect)


class _Task(NamedTuple):
    """What the restoration of a job needs to know of its task."""

    project_id: int | None = None
    deleted: bool = False


def _task(task: _Task, body: Body) -> _Task:
    if isinstance(body, TaskCreated | TaskMoved):
        return task._replace(project_id=body.project_id)
    if isinstance(body, TaskDeleted | TaskRestored):
        return task._replace(deleted=isinstance(body, TaskDeleted))
    return task


def known_username(log: Log, field: str, user_id: int | None) -> str | None:
    """The name of a user that a command refers to in `field`. Raises Invalid for an unknown one."""
    if user_id is None:
        return None
    name = log.lookup.username(user_id)
    if name is None:
        raise Invalid({field: [f'Invalid pk "{user_id}" - object does not exist.']})
    return name
