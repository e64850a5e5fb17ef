"""What happened to jobs, in words."""

from __future__ import annotations

from cli.phrases.words import frames, phrase
from domain.events.job import JobAssigned, JobCreated, JobDeleted, JobRestored, JobStateChanged


@phrase(JobCreated)
def _(body: JobCreated) -> str:
    if body.type == "ground_truth":
        return f"created ground truth job {body.job_id} of task {body.task_id}"
    replica = "" if body.parent_job_id is None else f", a replica of job {body.parent_job_id}"
    shown = frames(body.start_frame, body.stop_frame)
    return f"created job {body.job_id} of task {body.task_id}: {shown}{replica}"


@phrase(JobAssigned)
def _(body: JobAssigned) -> str:
    if body.assignee_id is None:
        return f"took job {body.job_id} back"
    return f"handed job {body.job_id} to {body.assignee or f'user {body.assignee_id}'}"


@phrase(JobStateChanged)
def _(body: JobStateChanged) -> str:
    before = f"{body.previous_stage}, {body.previous_state}"
    return f"moved job {body.job_id} from “{before}” to “{body.stage}, {body.state}”"


@phrase(JobDeleted)
def _(body: JobDeleted) -> str:
    return f"deleted job {body.job_id}"


@phrase(JobRestored)
def _(body: JobRestored) -> str:
    return f"restored job {body.job_id}"
