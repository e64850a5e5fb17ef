"""Jobs."""

from __future__ import annotations

from collections.abc import Iterator

from consumers.forwarder.transform.row import Row, described, transforms
from domain.events.job import JobAssigned, JobCreated, JobDeleted, JobRestored, JobStateChanged


@transforms(JobCreated)
def created(body: JobCreated) -> list[Row]:
    fields = ("type", "segment_id", "start_frame", "stop_frame", "stage", "state", "assignee_id", "parent_job_id")
    return [Row("create:job", obj_id=body.job_id, payload=described(body, *fields))]


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
def deleted(body: JobDeleted) -> list[Row]:
    return [Row("delete:job", obj_id=body.job_id, payload=described(body, "stage", "state"))]


@transforms(JobRestored)
def restored(body: JobRestored) -> list[Row]:
    return [Row("restore:job", obj_id=body.job_id, payload=described(body, "stage", "state"))]
