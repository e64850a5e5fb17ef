"""How work on tasks is checked. Of a deleted task it stays, unseen, until that is purged: both come back together."""

from __future__ import annotations

from domain.event import Event
from domain.events.job import JobDeleted, JobRestored
from domain.events.task import TaskPurged
from domain.events.validation import HoneypotsPlaced, ValidationFramesDisabled, ValidationSetUp
from projections.changes import Changes, Table
from projections.projection import Projection

VALIDATION = Table("validation", ("task_id",))
HONEYPOTS = Table("honeypots", ("task_id", "frame"), groups=("task_id",))

projection = Projection("validation", 1, (VALIDATION, VALIDATION.discarded, HONEYPOTS))


@projection.on(ValidationSetUp)
def set_up(body: ValidationSetUp, event: Event, changes: Changes) -> None:
    changes.insert(
        VALIDATION,
        {
            "task_id": body.task_id,
            "job_id": body.job_id,
            "mode": body.mode,
            "frames": body.frames,
            "disabled_frames": [],
            "frames_per_job_count": body.frames_per_job_count,
        },
    )


@projection.on(ValidationFramesDisabled)
def disabled(body: ValidationFramesDisabled, event: Event, changes: Changes) -> None:
    changes.update(VALIDATION, body.task_id, disabled_frames=body.frames)


@projection.on(HoneypotsPlaced)
def placed(body: HoneypotsPlaced, event: Event, changes: Changes) -> None:
    for honeypot in body.honeypots:
        frame, real_frame = honeypot["frame"], honeypot["real_frame"]
        changes.put(HONEYPOTS, {"task_id": body.task_id, "frame": frame, "real_frame": real_frame})


@projection.on(JobDeleted)
def job_deleted(body: JobDeleted, event: Event, changes: Changes) -> None:
    """With its ground truth job goes the validation of a task."""
    changes.discard(VALIDATION, "job_id", body.job_id, event.position)


@projection.on(JobRestored)
def job_restored(body: JobRestored, event: Event, changes: Changes) -> None:
    changes.recover(VALIDATION, body.deletion)


@projection.on(TaskPurged)
def purged(body: TaskPurged, event: Event, changes: Changes) -> None:
    changes.delete(VALIDATION, body.task_id)
    changes.delete_group(HONEYPOTS, "task_id", body.task_id)
