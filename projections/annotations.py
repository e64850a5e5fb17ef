"""The annotations that stand in each job. Those of deleted jobs and labels stay where they are, unseen: with the job or
label they come back.
"""

from __future__ import annotations

from domain.annotation.document import shape_type
from domain.event import Event
from domain.events.annotations import (
    AnnotationsChanged,
    AnnotationsCleared,
    AnnotationsReplaced,
    AnnotationsRestored,
    Document,
)
from domain.events.task import TaskPurged
from projections.changes import Changes, PackedTable
from projections.projection import Projection

ANNOTATIONS = PackedTable("annotations", groups=("job_id",))

projection = Projection("annotations", 2, (ANNOTATIONS,))


@projection.on(AnnotationsReplaced)
def replaced(body: AnnotationsReplaced, event: Event, changes: Changes) -> None:
    changes.delete_group(ANNOTATIONS, "job_id", body.job_id)
    _insert(body.job_id, body.created, changes)


@projection.on(AnnotationsCleared)
def cleared(body: AnnotationsCleared, event: Event, changes: Changes) -> None:
    changes.delete_group(ANNOTATIONS, "job_id", body.job_id)


@projection.on(AnnotationsChanged, AnnotationsRestored)
def changed(body: AnnotationsChanged | AnnotationsRestored, event: Event, changes: Changes) -> None:
    for types in body.removed.values():
        for ids in types.values():
            for object_id in ids:
                changes.delete(ANNOTATIONS, object_id)
    for objects in body.updated.values():
        for item in objects:
            changes.delete(ANNOTATIONS, item["id"])
    _insert(body.job_id, body.updated, changes)
    _insert(body.job_id, body.created, changes)


@projection.on(TaskPurged)
def purged(body: TaskPurged, event: Event, changes: Changes) -> None:
    for job_id in body.job_ids:
        changes.delete_group(ANNOTATIONS, "job_id", job_id)


def _insert(job_id: int, document: Document, changes: Changes) -> None:
    for kind, objects in document.items():
        for item in objects:
            changes.insert(
                ANNOTATIONS,
                {
                    "id": item["id"],
                    "job_id": job_id,
                    "kind": kind,
                    "type": shape_type(kind, item),
                    "label_id": item["label_id"],
                    "frame": item.get("frame", 0),
                    "doc": item,
                },
            )
