"""Labels of projects and of tasks that stand alone."""

from __future__ import annotations

from domain.event import Event
from domain.events.label import LabelChanged, LabelDeleted, LabelsAdded, LabelSpec
from domain.events.project import ProjectDeleted
from domain.events.task import TaskDeleted
from projections.changes import Changes, Table
from projections.projection import Projection

LABELS = Table("labels", groups=("stream", "parent_id"))
LABEL_SETS = Table("label_sets", ("stream",))

projection = Projection("labels", 1, (LABELS, LABEL_SETS))


@projection.on(LabelsAdded)
def added(body: LabelsAdded, event: Event, changes: Changes) -> None:
    for label in body.labels:
        _put(body, label, None, changes)


@projection.on(LabelChanged)
def changed(body: LabelChanged, event: Event, changes: Changes) -> None:
    changes.delete_group(LABELS, "parent_id", body.label["id"])
    _put(body, body.label, None, changes)


@projection.on(LabelDeleted)
def deleted(body: LabelDeleted, event: Event, changes: Changes) -> None:
    changes.delete_group(LABELS, "parent_id", body.label_id)
    changes.delete(LABELS, body.label_id)


@projection.on(LabelsAdded, LabelChanged, LabelDeleted)
def set_changed(body: LabelsAdded | LabelChanged | LabelDeleted, event: Event, changes: Changes) -> None:
    changes.put(LABEL_SETS, {"stream": body.stream, "position": event.position})


@projection.on(ProjectDeleted, TaskDeleted)
def parent_deleted(body: ProjectDeleted | TaskDeleted, event: Event, changes: Changes) -> None:
    changes.delete_group(LABELS, "stream", body.stream)
    changes.delete(LABEL_SETS, body.stream)


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
