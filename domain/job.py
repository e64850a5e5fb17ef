"""Jobs: who has one, and how far it is."""

from __future__ import annotations

from dataclasses import dataclass, replace

from domain.deletion import deletion
from domain.errors import Conflict, Invalid, NotFound
from domain.event import Body, Context
from domain.events.job import JobAssigned, JobCreated, JobDeleted, JobRestored, JobStateChanged
from domain.events.task import TaskDeleted, TaskRestored
from domain.ports import Log
from domain.retry import decide_again

STAGES = ("annotation", "validation", "acceptance")
STATES = ("new", "in progress", "completed", "rejected")


@dataclass(frozen=True)
class Job:
    """What decisions need to know of a job."""

    job_id: int
    task_id: int
    project_id: int | None
    stage: str
    state: str
    assignee_id: int | None
    type: str = "annotation"
    deleted: bool = False


def evolve(job: Job | None, body: Body) -> Job | None:
    if isinstance(body, JobCreated):
        return Job(body.job_id, body.task_id, body.project_id, body.stage, body.state, body.assignee_id, body.type)
    if job is None:
        return None
    if isinstance(body, JobStateChanged):
        return replace(job, stage=body.stage, state=body.state)
    if isinstance(body, JobAssigned):
        return replace(job, assignee_id=body.assignee_id)
    if isinstance(body, JobDeleted):
        return replace(job, deleted=True)
    if isinstance(body, JobRestored):
        return replace(job, deleted=False)
    return job


def status(stage: str, state: str) -> str:
    """CVAT's derived status of a job: annotation, validation or completed."""
    if stage == "annotation":
        return "annotation"
    return "completed" if (stage, state) == ("acceptance", "completed") else "validation"


def move(job: Job, stage: str | None, state: str | None) -> list[Body]:
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


def assign(job: Job, assignee_id: int | None, assignee: str | None) -> list[Body]:
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
        job, expect = self._require(job_id)
        bodies = move(job, stage, state)
        if not isinstance(assignee_id, Unchanged):
            bodies += assign(job, assignee_id, known_username(self._log, "assignee", assignee_id))
        if bodies:
            self._log.record(context, bodies, expect)

    @decide_again
    def delete(self, context: Context, job_id: int) -> None:
        """With its annotations. Jobs that cover the task's frames stay: only ground truth can be taken away. Raises
        NotFound, Invalid.
        """
        job, expect = self._require(job_id)
        if job.type != "ground_truth":
            raise Invalid(["Only ground truth jobs can be removed"])
        body = JobDeleted(job_id, job.task_id, job.project_id, job.stage, job.state)
        self._log.record(context, [body], expect)

    @decide_again
    def restore(self, context: Context, job_id: int) -> None:
        """With its annotations. Raises NotFound, Conflict."""
        stream = f"job-{job_id}"
        gone = deletion(self._log, stream, JobDeleted, JobRestored)
        job = gone.body
        deleted, task_version = self._log.load(f"task-{job.task_id}", _task_deleted, False)
        if deleted:
            raise Conflict(f"task-{job.task_id} is deleted: restore it first")
        body = JobRestored(job_id, job.task_id, job.project_id, job.stage, job.state, gone.position)
        self._log.record(context, [body], {stream: gone.version, f"task-{job.task_id}": task_version})

    def _require(self, job_id: int) -> tuple[Job, dict[str, int]]:
        """The job, and the versions of all streams that say that it stands. Raises NotFound."""
        job, version = self._log.load(f"job-{job_id}", evolve, None)
        if job is None or job.deleted:
            raise NotFound
        task = f"task-{job.task_id}"
        deleted, task_version = self._log.load(task, _task_deleted, False)
        if deleted:
            raise NotFound
        return job, {f"job-{job_id}": version, task: task_version}


def _task_deleted(deleted: bool, body: Body) -> bool:
    return isinstance(body, TaskDeleted) or (deleted and not isinstance(body, TaskRestored))


def known_username(log: Log, field: str, user_id: int | None) -> str | None:
    """The name of a user that a command refers to in `field`. Raises Invalid for an unknown one."""
    if user_id is None:
        return None
    name = log.lookup.username(user_id)
    if name is None:
        raise Invalid({field: [f'Invalid pk "{user_id}" - object does not exist.']})
    return name
