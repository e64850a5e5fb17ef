"""Jobs as they stand now."""

from __future__ import annotations

from domain.event import Event
from domain.events.annotations import AnnotationsChanged, AnnotationsCleared, AnnotationsReplaced, AnnotationsRestored
from domain.events.data import FramesDeleted, FramesRestored
from domain.events.issue import IssueDeleted, IssueOpened
from domain.events.job import JobAssigned, JobCreated, JobDeleted, JobRestored, JobStateChanged
from domain.events.project import ProjectDeleted, ProjectRestored
from domain.events.task import TaskDeleted, TaskMoved, TaskPurged, TaskRestored
from domain.events.validation import ValidationSetUp
from projections.changes import Changes, Table
from projections.projection import Projection

JOBS = Table("jobs")

projection = Projection("jobs", 3, (JOBS, JOBS.discarded))


@projection.on(JobCreated)
def created(body: JobCreated, event: Event, changes: Changes) -> None:
    time = event.meta.time
    changes.insert(
        JOBS,
        {
            "id": body.job_id,
            "task_id": body.task_id,
            "project_id": body.project_id,
            "segment_id": body.segment_id,
            "type": body.type,
            "start_frame": body.start_frame,
            "stop_frame": body.stop_frame,
            "frame_count": body.stop_frame - body.start_frame + 1,
            "parent_job_id": body.parent_job_id,
            "replicas_count": 0,
            "issue_count": 0,
            "assignee_id": body.assignee_id,
            "assignee_updated_date": time if body.assignee_id else None,
            "stage": body.stage,
            "state": body.state,
            "created_date": time,
            "updated_date": time,
            "annotations_version": 0,
        },
    )


@projection.on(JobCreated)
def replicated(body: JobCreated, event: Event, changes: Changes) -> None:
    if body.parent_job_id is not None:
        changes.add(JOBS, body.parent_job_id, replicas_count=1)


@projection.on(ValidationSetUp)
def frames_picked(body: ValidationSetUp, event: Event, changes: Changes) -> None:
    """A ground truth job has but these frames."""
    changes.update(JOBS, body.job_id, frame_count=len(body.frames))


@projection.on(JobStateChanged)
def moved(body: JobStateChanged, event: Event, changes: Changes) -> None:
    changes.update(JOBS, body.job_id, stage=body.stage, state=body.state, updated_date=event.meta.time)


@projection.on(JobAssigned)
def assigned(body: JobAssigned, event: Event, changes: Changes) -> None:
    time = event.meta.time
    changes.update(JOBS, body.job_id, assignee_id=body.assignee_id, assignee_updated_date=time, updated_date=time)


@projection.on(AnnotationsChanged, AnnotationsReplaced, AnnotationsCleared, AnnotationsRestored)
def annotated(body: AnnotationsChanged, event: Event, changes: Changes) -> None:
    changes.update(JOBS, body.job_id, annotations_version=event.originator_version, updated_date=event.meta.time)


@projection.on(IssueOpened, IssueDeleted)
def discussed(body: IssueOpened | IssueDeleted, event: Event, changes: Changes) -> None:
    changes.add(JOBS, body.job_id, issue_count=1 if isinstance(body, IssueOpened) else -1)


@projection.on(TaskMoved)
def task_moved(body: TaskMoved, event: Event, changes: Changes) -> None:
    for job_id in body.job_ids:
        changes.update(JOBS, job_id, project_id=body.project_id)


@projection.on(FramesDeleted, FramesRestored)
def frames_changed(body: FramesDeleted | FramesRestored, event: Event, changes: Changes) -> None:
    if body.job_id is not None:
        changes.update(JOBS, body.job_id, updated_date=event.meta.time)


@projection.on(TaskDeleted)
def task_deleted(body: TaskDeleted, event: Event, changes: Changes) -> None:
    changes.discard(JOBS, "task_id", body.task_id, event.position)


@projection.on(JobDeleted)
def deleted(body: JobDeleted, event: Event, changes: Changes) -> None:
    changes.discard(JOBS, "id", body.job_id, event.position)


@projection.on(ProjectDeleted)
def project_deleted(body: ProjectDeleted, event: Event, changes: Changes) -> None:
    """Its tasks have gone by their own events, unless one was created at the same moment."""
    changes.discard(JOBS, "project_id", body.project_id, event.position)


@projection.on(ProjectRestored)
def project_restored(body: ProjectRestored, event: Event, changes: Changes) -> None:
    changes.recover(JOBS, body.deletion)


@projection.on(TaskPurged)
def task_purged(body: TaskPurged, event: Event, changes: Changes) -> None:
    changes.forget(JOBS, body.deletion)


@projection.on(TaskRestored)
def task_restored(body: TaskRestored, event: Event, changes: Changes) -> None:
    changes.recover(JOBS, body.deletion)


@projection.on(JobRestored)
def restored(body: JobRestored, event: Event, changes: Changes) -> None:
    changes.recover(JOBS, body.deletion)
    changes.update(JOBS, body.job_id, updated_date=event.meta.time)
