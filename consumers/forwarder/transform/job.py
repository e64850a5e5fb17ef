"""Jobs."""

from __future__ import annotations

from collections.abc import Iterator

from consumers.forwarder.transform import issue
from consumers.forwarder.transform.row import Row, described, person, transforms
from domain.events.job import JobAssigned, JobCreated, JobDeleted, JobRestored, JobStateChanged
from domain.job import status

AS_CREATED = (
    "task_id",
    "project_id",
    "stage",
    "state",
    "start_frame",
    "stop_frame",
    "type",
    "parent_job_id",
    "assignee_id",
)


@transforms(JobCreated)
def created(body: JobCreated) -> list[Row]:
    """`frame_count` is yet unknown where the job will have but some of the frames. `assignee_id` is our own: what the
    table `job_changes` takes.
    """
    frames = body.stop_frame - body.start_frame + 1
    payload = {
        "assignee": person(body.assignee_id),
        "status": status(body.stage, body.state),
        "frame_count": None if body.type == "ground_truth" else frames,
        **described(body, *AS_CREATED),
    }
    return [Row("create:job", obj_id=body.job_id, payload=payload)]


@transforms(JobAssigned)
def assigned(body: JobAssigned) -> list[Row]:
    payload = {"old_value": body.previous_assignee_id}
    return [Row("update:job", "assignee", body.assignee_id, body.assignee, payload=payload)]


@transforms(JobStateChanged)
def state_changed(body: JobStateChanged) -> Iterator[Row]:
    """One row for each of stage and state that changed; both say in which stage and state the job now is."""
    now = described(body, "stage", "state")
    for field in ("stage", "state"):
        new, old = getattr(body, field), getattr(body, f"previous_{field}")
        if new != old:
            yield Row("update:job", field, obj_val=new, payload={**now, "old_value": old})


@transforms(JobDeleted)
def deleted(body: JobDeleted) -> Iterator[Row]:
    """The job, and each issue that goes with it."""
    yield Row("delete:job", obj_id=body.job_id, payload=described(body, "stage", "state"))
    yield from issue.gone(body.issues)


@transforms(JobRestored)
def restored(body: JobRestored) -> Iterator[Row]:
    yield Row("restore:job", obj_id=body.job_id, payload=described(body, "stage", "state"))
    yield from issue.back(body.issues)
