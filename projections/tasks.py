"""Tasks as they stand now, with their jobs counted."""

from __future__ import annotations

from domain.event import Event
from domain.events.annotations import AnnotationsChanged, AnnotationsCleared, AnnotationsReplaced, AnnotationsRestored
from domain.events.data import DataUploaded, FramesDeleted, FramesRestored, JobsSplit
from domain.events.job import JobAssigned, JobCreated, JobDeleted, JobRestored, JobStateChanged
from domain.events.label import LabelBody, LabelChanged, LabelDeleted, LabelRestored, LabelsAdded
from domain.events.project import ProjectDeleted, ProjectRestored
from domain.events.task import TaskChanged, TaskCreated, TaskDeleted, TaskMoved, TaskPurged, TaskRestored
from domain.events.validation import HoneypotsPlaced, ValidationFramesDisabled, ValidationSetUp
from domain.job import status
from projections.changes import Changes, Table
from projections.projection import Projection

TASKS = Table("tasks")

projection = Projection("tasks", 3, (TASKS, TASKS.discarded))


@projection.on(TaskCreated)
def created(body: TaskCreated, event: Event, changes: Changes) -> None:
    time = event.meta.time
    changes.insert(
        TASKS,
        {
            "id": body.task_id,
            "project_id": body.project_id,
            "name": body.name,
            "owner_id": body.owner_id,
            "assignee_id": body.assignee_id,
            "assignee_updated_date": time if body.assignee_id else None,
            "bug_tracker": body.bug_tracker,
            "subset": body.subset,
            "segment_size": body.segment_size,
            "overlap": body.overlap,
            "consensus_replicas": body.consensus_replicas,
            "organization_id": body.organization_id,
            "source_storage": body.source_storage,
            "target_storage": body.target_storage,
            "created_date": time,
            "updated_date": time,
            "mode": "",
            "dimension": "",
            "media_type": "",
            "validation_mode": None,
            "job_count": 0,
            "annotation_jobs": 0,
            "completed_jobs": 0,
            "validation_stage_jobs": 0,
        },
    )


@projection.on(TaskChanged)
def changed(body: TaskChanged, event: Event, changes: Changes) -> None:
    new = {field: change["to"] for field, change in body.changes.items()}
    if "assignee_id" in new:
        new["assignee_updated_date"] = event.meta.time
    changes.update(TASKS, body.task_id, **new, updated_date=event.meta.time)


@projection.on(TaskMoved)
def moved(body: TaskMoved, event: Event, changes: Changes) -> None:
    changes.update(TASKS, body.task_id, project_id=body.project_id, updated_date=event.meta.time)


@projection.on(TaskDeleted)
def deleted(body: TaskDeleted, event: Event, changes: Changes) -> None:
    changes.discard(TASKS, "id", body.task_id, event.position)


@projection.on(ProjectDeleted)
def project_deleted(body: ProjectDeleted, event: Event, changes: Changes) -> None:
    """Its tasks have gone by their own events, unless one was created at the same moment."""
    changes.discard(TASKS, "project_id", body.project_id, event.position)


@projection.on(ProjectRestored)
def project_restored(body: ProjectRestored, event: Event, changes: Changes) -> None:
    changes.recover(TASKS, body.deletion)


@projection.on(TaskPurged)
def purged(body: TaskPurged, event: Event, changes: Changes) -> None:
    changes.forget(TASKS, body.deletion)


@projection.on(TaskRestored)
def restored(body: TaskRestored, event: Event, changes: Changes) -> None:
    changes.recover(TASKS, body.deletion)
    changes.update(TASKS, body.task_id, updated_date=event.meta.time)


@projection.on(DataUploaded)
def data_uploaded(body: DataUploaded, event: Event, changes: Changes) -> None:
    changes.update(
        TASKS,
        body.task_id,
        size=body.size,
        image_quality=body.image_quality,
        chunk_size=body.chunk_size,
        original_chunk_type=body.original_chunk_type,
        compressed_chunk_type=body.compressed_chunk_type,
        mode=body.mode,
        dimension=body.dimension,
        media_type=body.media_type,
        updated_date=event.meta.time,
    )


@projection.on(JobsSplit)
def split(body: JobsSplit, event: Event, changes: Changes) -> None:
    changes.update(TASKS, body.task_id, segment_size=body.segment_size, overlap=body.overlap)


@projection.on(JobCreated, JobRestored)
def job_added(body: JobCreated | JobRestored, event: Event, changes: Changes) -> None:
    changes.add(TASKS, body.task_id, job_count=1, **_counted(body.stage, body.state, 1))


@projection.on(JobDeleted)
def job_deleted(body: JobDeleted, event: Event, changes: Changes) -> None:
    changes.add(TASKS, body.task_id, job_count=-1, **_counted(body.stage, body.state, -1))


@projection.on(ValidationSetUp)
def validation_set_up(body: ValidationSetUp, event: Event, changes: Changes) -> None:
    changes.update(TASKS, body.task_id, validation_mode=body.mode)


@projection.on(JobDeleted, JobRestored)
def validation_dropped(body: JobDeleted | JobRestored, event: Event, changes: Changes) -> None:
    """Only ground truth jobs of mode gt are deleted by themselves."""
    changes.update(TASKS, body.task_id, validation_mode="gt" if isinstance(body, JobRestored) else None)


@projection.on(JobStateChanged)
def job_moved(body: JobStateChanged, event: Event, changes: Changes) -> None:
    changes.add(TASKS, body.task_id, **_counted(body.previous_stage, body.previous_state, -1))
    changes.add(TASKS, body.task_id, **_counted(body.stage, body.state, 1))


@projection.on(
    JobStateChanged, JobAssigned, JobDeleted, JobRestored, LabelsAdded, LabelChanged, LabelDeleted, LabelRestored,
    AnnotationsChanged, AnnotationsReplaced, AnnotationsCleared, AnnotationsRestored, FramesDeleted, FramesRestored,
    ValidationSetUp, HoneypotsPlaced, ValidationFramesDisabled,
)  # fmt: skip
def touched(body: JobStateChanged, event: Event, changes: Changes) -> None:
    """Whatever is written below a task moves its `updated_date`. Labels of a project have no task."""
    if body.task_id is not None:
        changes.update(TASKS, body.task_id, updated_date=event.meta.time)


@projection.on(LabelsAdded, LabelChanged, LabelDeleted, LabelRestored)
def labels_changed(body: LabelBody, event: Event, changes: Changes) -> None:
    """Labels of a project are those of its tasks: clients that keep a task look at its `updated_date`, as with CVAT."""
    if body.project_id is not None:
        changes.update_group(TASKS, "project_id", body.project_id, updated_date=event.meta.time)


def _counted(stage: str, state: str, sign: int) -> dict[str, int]:
    now = status(stage, state)
    return {
        "annotation_jobs": sign * (now == "annotation"),
        "completed_jobs": sign * (now == "completed"),
        "validation_stage_jobs": sign * (stage == "validation"),
    }
