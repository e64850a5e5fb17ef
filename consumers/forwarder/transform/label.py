"""Labels. A sublabel of a skeleton is a label of its own, as in CVAT."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from consumers.forwarder.transform.row import Row, described, field_updates, transforms
from domain.events.label import LabelChanged, LabelDeleted, LabelRestored, LabelsAdded, LabelSpec, NamedLabel


@transforms(LabelsAdded)
def added(body: LabelsAdded) -> Iterator[Row]:
    parent = "task_id" if body.project_id is None else "project_id"
    return _created(body.labels, None, described(body, parent))


@transforms(LabelChanged)
def changed(body: LabelChanged) -> Iterator[Row]:
    label = {"id": body.label["id"], "name": body.label["name"]}
    return field_updates("update:label", body.changes, {"label": label})


@transforms(LabelDeleted)
def deleted(body: LabelDeleted) -> Iterator[Row]:
    yield Row("delete:label", body.name, body.label_id)
    yield from gone(body.sublabels)


@transforms(LabelRestored)
def restored(body: LabelRestored) -> Iterator[Row]:
    yield Row("restore:label", body.name, body.label_id)
    yield from back(body.sublabels)


def gone(labels: Iterable[NamedLabel]) -> Iterator[Row]:
    """Those that went with something else: as CVAT has it, each is told of."""
    return (Row("delete:label", label["name"], label["id"]) for label in labels)


def back(labels: Iterable[NamedLabel]) -> Iterator[Row]:
    return (Row("restore:label", label["name"], label["id"]) for label in labels)


def _created(labels: Iterable[LabelSpec], parent_id: int | None, place: dict[str, Any]) -> Iterator[Row]:
    for label in labels:
        payload = {
            "color": label["color"],
            "attributes": label["attributes"],
            "type": label["type"],
            "svg": label.get("svg", ""),
            "has_parent": parent_id is not None,
            "parent_id": parent_id,
            **place,
        }
        yield Row("create:label", label["name"], label["id"], payload=payload)
        yield from _created(label.get("sublabels", ()), label["id"], place)
