"""Editing labels: what of a label may change, and what a list of edits does to the labels of a parent."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from domain import label_spec
from domain.errors import Invalid, NotFound
from domain.event import Body
from domain.events.label import AttributeSpec, LabelChanged, LabelDeleted, LabelsAdded, LabelSpec
from domain.label_set import LabelSet, named
from domain.ports import Ids, LabelParent

Wanted = Mapping[str, Any]
"""The fields of a label or attribute that a client sends; those that it leaves out stay as they are."""

CHOICES = ("radio", "select")


def edits(labels: LabelSet, parent: LabelParent, wanted: Sequence[Wanted], ids: Ids) -> list[Body]:
    """What a client's list makes of the labels: entries with an id change that label, or delete it (`deleted`); those
    without are new. Labels that are not named stay. Raises NotFound for an unknown id, Invalid.
    """
    known = [entry for entry in wanted if entry.get("id") is not None]
    added = [dict(entry) for entry in wanted if entry.get("id") is None]
    if any(entry.get("deleted") for entry in added):
        raise Invalid({"labels": ["A label to delete is named by its id"]})
    bodies: list[Body] = []
    standing = dict(labels.labels)  # as the edits before the next one leave them: a label may be named again
    for entry in known:
        label = standing.pop(entry["id"], None)
        if label is None:
            raise NotFound(f"There is no label {entry['id']} here")
        if entry.get("deleted"):
            bodies.append(label_deleted(parent, label))
            continue
        standing[label["id"]] = change(label, entry, ids)
        bodies += changed(parent, label, standing[label["id"]])
    names = [label["name"] for label in standing.values()]
    label_spec.check_unique(names)
    if added:
        new_labels = label_spec.define(added, ids, frozenset(names))
        bodies.append(LabelsAdded(parent.project_id, parent.task_id, new_labels))
    return bodies


def label_deleted(parent: LabelParent, label: LabelSpec) -> LabelDeleted:
    sublabels = named(label.get("sublabels", ()))
    return LabelDeleted(parent.project_id, parent.task_id, label["id"], label["name"], sublabels)


def changed(parent: LabelParent, old: LabelSpec, new: LabelSpec) -> list[Body]:
    """The event, if there is a difference."""
    before: Mapping[str, Any] = old
    changes = {
        name: {"from": before.get(name), "to": value} for name, value in new.items() if before.get(name) != value
    }
    return [LabelChanged(parent.project_id, parent.task_id, new, changes)] if changes else []


def change(label: LabelSpec, wanted: Wanted, ids: Ids) -> LabelSpec:
    """The label with what a client wants of it. Raises Invalid; NotFound for an unknown attribute or point."""
    name = wanted.get("name", label["name"])
    new = LabelSpec(
        id=label["id"],
        name=name,
        color=(wanted["color"] or label_spec.color_of(str(name))) if "color" in wanted else label["color"],
        type=wanted.get("type") or label["type"],
        attributes=_attributes(label["attributes"], wanted.get("attributes") or (), ids),
    )
    if "skeleton" in (new["type"], label["type"]):
        if new["type"] != label["type"]:
            raise Invalid({"type": ["A skeleton can't become another type, nor another type a skeleton"]})
        new["sublabels"] = _points(label.get("sublabels", []), wanted.get("sublabels") or (), ids)
        new["svg"] = label_spec.with_ids(wanted.get("svg") or label.get("svg", ""), new["sublabels"])
    label_spec.check([dict(new)], frozenset())
    return new


def _points(points: Sequence[LabelSpec], wanted: Sequence[Wanted], ids: Ids) -> list[LabelSpec]:
    """Those that stand, edited, then the new ones."""
    by_id = {point["id"]: point for point in points}
    by_name = {point["name"]: point for point in points}
    for entry in wanted:
        if entry.get("deleted"):
            raise Invalid({"sublabels": ["A point can't be taken from a skeleton that may be drawn already"]})
        point = _known(by_id, entry) or by_name.get(str(entry.get("name")))
        new = change(point, entry, ids) if point else label_spec.define([dict(entry)], ids)[0]
        by_id[new["id"]] = new
    return list(by_id.values())


def _attributes(attributes: Sequence[AttributeSpec], wanted: Sequence[Wanted], ids: Ids) -> list[AttributeSpec]:
    """Those that stand, edited, then the new ones. One without an id but with a name that is there means that one."""
    by_id = {attribute["id"]: attribute for attribute in attributes}
    by_name = {attribute["name"]: attribute for attribute in attributes}
    for entry in wanted:
        attribute = _known(by_id, entry) or by_name.get(str(entry.get("name")))
        new = _edited(attribute, entry) if attribute else label_spec.define_attribute(entry, ids)
        by_id[new["id"]] = new
    return list(by_id.values())


def _edited(attribute: AttributeSpec, wanted: Wanted) -> AttributeSpec:
    """What was drawn with it must stay readable: so how it is entered stays, and choices may only be added."""
    new = label_spec.attribute({**attribute, **wanted}, attribute["id"])
    for name in ("mutable", "input_type"):
        if {**new}[name] != {**attribute}[name]:
            raise Invalid({"attributes": [f"“{name}” of the attribute “{attribute['name']}” can't be changed"]})
    lost = set(attribute["values"]) - set(new["values"])
    if new["input_type"] in CHOICES and lost:
        raise Invalid({"attributes": [f"The attribute “{attribute['name']}” can't lose values: {sorted(lost)[:10]}"]})
    return new


def _known(by_id: Mapping[int, Any], entry: Wanted) -> Any:
    """What an entry names by its id; None for one without. Raises NotFound."""
    if entry.get("id") is None:
        return None
    if entry["id"] not in by_id:
        raise NotFound(f"There is no {entry['id']} in this label")
    return by_id[entry["id"]]
