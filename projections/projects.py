"""Projects as they stand now."""

from __future__ import annotations

from domain.event import Event
from domain.events.annotations import AnnotationsChanged, AnnotationsCleared, AnnotationsReplaced, AnnotationsRestored
from domain.events.data import DataUploaded
from domain.events.job import JobAssigned, JobDeleted, JobRestored, JobStateChanged
from domain.events.label import LabelChanged, LabelDeleted, LabelRestored, LabelsAdded
from domain.events.project import ProjectChanged, ProjectCreated, ProjectDeleted, ProjectRestored
from domain.events.task import TaskChanged, TaskCreated, TaskDeleted, TaskMoved, TaskRestored
from domain.events.validation import HoneypotsPlaced, ValidationFramesDisabled, ValidationSetUp
from projections.changes import Changes, Table
from projections.projection import Projection

PROJECTS = Table("projects")

projection = Projection("projects", 3, (PROJECTS, PROJECTS.discarded))


@projection.on(ProjectCreated)
def created(body: ProjectCreated, event: Event, changes: Changes) -> None:
    time = event.meta.time
    changes.insert(
        PROJECTS,
        {
            "id": body.project_id,
            "name": body.name,
            "owner_id": body.owner_id,
            "assignee_id": body.assignee_id,
            "assignee_updated_date": time if body.assignee_id else None,
            "bug_tracker": body.bug_tracker,
            "organization_id": body.organization_id,
            "source_storage": body.source_storage,
            "target_storage": body.target_storage,
            "task_count": 0,
            "created_date": time,
            "updated_date": time,
        },
    )


@projection.on(ProjectChanged)
def changed(body: ProjectChanged, event: Event, changes: Changes) -> None:
    new = {field: change["to"] for field, change in body.changes.items()}
    if "assignee_id" in new:
        new["assignee_updated_date"] = event.meta.time
    changes.update(PROJECTS, body.project_id, **new, updated_date=event.meta.time)


@projection.on(ProjectDeleted)
def deleted(body: ProjectDeleted, event: Event, changes: Changes) -> None:
    changes.discard(PROJECTS, "id", body.project_id, event.position)


@projection.on(ProjectRestored)
def restored(body: ProjectRestored, event: Event, changes: Changes) -> None:
    changes.recover(PROJECTS, body.deletion)
    changes.update(PROJECTS, body.project_id, updated_date=event.meta.time)


@projection.on(TaskCreated, TaskDeleted, TaskRestored)
def task_count(body: TaskCreated | TaskDeleted | TaskRestored, event: Event, changes: Changes) -> None:
    if body.project_id is not None:
        changes.add(PROJECTS, body.project_id, task_count=-1 if isinstance(body, TaskDeleted) else 1)


@projection.on(TaskMoved)
def task_moved(body: TaskMoved, event: Event, changes: Changes) -> None:
    changes.add(PROJECTS, body.project_id, task_count=1)
    if body.previous_project_id is not None:
        changes.add(PROJECTS, body.previous_project_id, task_count=-1)
        changes.update(PROJECTS, body.previous_project_id, updated_date=event.meta.time)


@projection.on(
    TaskCreated,
    TaskChanged,
    TaskMoved,
    TaskDeleted,
    TaskRestored,
    DataUploaded,
    JobStateChanged,
    JobAssigned,
    JobDeleted,
    JobRestored,
    LabelsAdded,
    LabelChanged,
    LabelDeleted,
    LabelRestored,
    AnnotationsChanged,
    AnnotationsReplaced,
    AnnotationsCleared,
    AnnotationsRestored,
    ValidationSetUp,
    HoneypotsPlaced,
    ValidationFramesDisabled,
)
def touched(body: TaskCreated, event: Event, changes: Changes) -> None:
    """Whatever is written below a project moves its `updated_date`."""
    if body.project_id is not None:
        changes.update(PROJECTS, body.project_id, updated_date=event.meta.time)
