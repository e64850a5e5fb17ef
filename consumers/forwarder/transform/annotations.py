"""Annotations: one row per kind and shape type, with the ids of the objects, as CVAT has it. Beside them, in the same
order, their labels and frames: what CVAT's rows don't tell, and analysts ask for.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from consumers.forwarder.transform.row import Row, in_portions, transforms
from domain.annotation.document import KINDS, shape_type
from domain.events.annotations import (
    AnnotationsChanged,
    AnnotationsCleared,
    AnnotationsReplaced,
    AnnotationsRestored,
    Counts,
    Document,
    Removed,
)


@transforms(AnnotationsChanged)
@transforms(AnnotationsRestored)
def changed(body: AnnotationsChanged | AnnotationsRestored) -> Iterator[Row]:
    yield from _deleted(body.removed)
    yield from _written("create", body.created)
    yield from _written("update", body.updated)


@transforms(AnnotationsReplaced)
def replaced(body: AnnotationsReplaced) -> Iterator[Row]:
    yield from _counted(body.removed)
    yield from _written("create", body.created)


@transforms(AnnotationsCleared)
def cleared(body: AnnotationsCleared) -> Iterator[Row]:
    return _counted(body.removed)


def _written(verb: str, document: Document) -> Iterator[Row]:
    for kind in KINDS:
        by_type: dict[str, list[dict[str, Any]]] = {}
        for item in document.get(kind, ()):
            by_type.setdefault(shape_type(kind, item), []).append(item)
        for type_name, items in by_type.items():
            for part in in_portions(items):
                payload = {
                    kind: [_reference(item) for item in part] if kind == "tracks" else _ids(part),
                    "label_ids": [item["label_id"] for item in part],
                    "frames": [item["start" if kind == "intervals" else "frame"] for item in part],
                }
                yield Row(f"{verb}:{kind}", type_name or None, amount=len(part), payload=payload)


def _deleted(removed: Removed) -> Iterator[Row]:
    for kind, by_type in removed.items():
        for type_name, ids in by_type.items():
            for part in in_portions(ids):
                payload = {kind: [{"id": object_id} for object_id in part]}
                yield Row(f"delete:{kind}", type_name or None, amount=len(part), payload=payload)


def _counted(removed: Counts) -> Iterator[Row]:
    for kind, by_type in removed.items():
        for type_name, number in by_type.items():
            for part in in_portions(range(number)):
                yield Row(f"delete:{kind}", type_name or None, amount=len(part))


def _ids(items: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    return [{"id": item["id"]} for item in items]


def _reference(track: dict[str, Any]) -> dict[str, Any]:
    return {"id": track["id"], "shapes": _ids(track.get("shapes", ()))}
