"""Labels of projects and of tasks that stand alone."""

from __future__ import annotations

from domain.event import Event
from domain.events.label import LabelBody, LabelChanged, LabelDeleted, LabelRestored, LabelsAdded, LabelSpec
from domain.events.project import ProjectDeleted, ProjectRestored
from domain.events.task import TaskDeleted, TaskMoved, TaskPurged, TaskRestored
from projections.changes import Changes, Table
from projections.projection import Projection

LABELS = Table("labels", groups=("parent_id", "stream"))
LABEL_SETS = Table("label_sets", ("stream",))
EXTENDED = Table("extended_label_sets", ("stream",))

projection = Projection("labels", 3, (LABELS, LABELS.discarded, LABEL_SETS, EXTENDED))


@projection.on(LabelsAdded)
def added(body: LabelsAdded, event: Event, changes: Changes) -> None:
    for label in body.labels:
        _put(body, label, None, changes)


@projection.on(LabelChanged)
def changed(body: LabelChanged, event: Event, changes: Changes) -> None:
    changes.delete_group(LABELS, "parent_id", body.label["id"])
    _put(body, body.label, None, changes)
    if body.changes.keys() & {"attributes", "sublabels"}:
        changes.put(EXTENDED, {"stream": body.stream})


@projection.on(LabelDeleted)
def deleted(body: LabelDeleted, event: Event, changes: Changes) -> None:
    changes.discard(LABELS, "parent_id", body.label_id, event.position)
    changes.discard(LABELS, "id", body.label_id, event.position)


@projection.on(LabelRestored)
def restored(body: LabelRestored, event: Event, changes: Changes) -> None:
    changes.recover(LABELS, body.deletion)


@projection.on(LabelsAdded, LabelChanged, LabelDeleted, LabelRestored)
def set_changed(body: LabelBody, event: Event, changes: Changes) -> None:
    changes.put(LABEL_SETS, {"stream": body.stream, "position": event.position})


@projection.on(TaskMoved)
def task_moved(body: TaskMoved, event: Event, changes: Changes) -> None:
    """In a project a task has no labels of its own."""
    changes.delete_group(LABELS, "stream", body.stream)
    changes.delete(LABEL_SETS, body.stream)


@projection.on(ProjectDeleted, TaskDeleted)
def parent_deleted(body: ProjectDeleted | TaskDeleted, event: Event, changes: Changes) -> None:
    changes.discard(LABELS, "stream", body.stream, event.position)
    changes.delete(LABEL_SETS, body.stream)


@projection.on(TaskPurged)
def parent_purged(body: TaskPurged, event: Event, changes: Changes) -> None:
    changes.forget(LABELS, body.deletion)


@projection.on(ProjectRestored, TaskRestored)
def parent_restored(body: ProjectRestored | TaskRestored, event: Event, changes: Changes) -> None:
    """A task in a project has no labels of its own, and needs no entry; its own would not be looked at."""
    changes.recover(LABELS, body.deletion)
    changes.put(LABEL_SETS, {"stream": body.stream, "position": event.position})


def _put(body: LabelsAdded | LabelChanged, label: LabelSpec, parent_id: int | None, changes: Changes) -> None:
    changes.put(
        LABELS,
        {
            "id": label["id"],
            "stream": body.stream,
            "project_id": body.project_id,
            "task_id": body.task_id,
            "parent_id": parent_id,
            "name": label["name"],
            "color": label["color"],
            "type": label["type"],
            "svg": label.get("svg", ""),
            "attributes": label["attributes"],
        },
    )
    for sublabel in label.get("sublabels", []):
        _put(body, sublabel, label["id"], changes)
