"""A task goes to a project: its labels give way to the project's, and what was drawn under them is relabeled."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from domain.annotation.document import KINDS, Document, Item, LabelSpecs, shape_type
from domain.annotation.validation import normalize
from domain.annotation.visibility import shown
from domain.annotation_events import gone, split_document
from domain.errors import Invalid
from domain.event import Body
from domain.events.annotations import AnnotationsChanged, Removed, TrackChange
from domain.events.label import AttributeSpec, LabelSpec
from domain.events.task import TaskMoved
from domain.label_set import LabelSet
from domain.ports import Drawn

UNMAPPED = "All task or project label names must be mapped to the target project"


@dataclass
class Relabeling:
    """Old id → new id. An attribute that is missing here has no counterpart, and its values go."""

    labels: dict[int, int] = field(default_factory=dict)
    attributes: dict[int, int] = field(default_factory=dict)

    def map(self, old: LabelSpec, new: LabelSpec) -> None:
        """A label, its points and their attributes. Raises Invalid when the new one does not have all points."""
        if (old["type"] == "skeleton") != (new["type"] == "skeleton"):
            raise Invalid([f"{UNMAPPED}: “{new['name']}” is not of the same type"])
        self.labels[old["id"]] = new["id"]
        attributes = {_identity(attribute): attribute["id"] for attribute in new["attributes"]}
        for attribute in old["attributes"]:
            if _identity(attribute) in attributes:
                self.attributes[attribute["id"]] = attributes[_identity(attribute)]
        points = {point["name"]: point for point in new.get("sublabels", [])}
        for point in old.get("sublabels", []):
            if point["name"] not in points:
                raise Invalid([f"{UNMAPPED}: “{new['name']}” has no point “{point['name']}” there"])
            self.map(point, points[point["name"]])

    def pairs(self) -> tuple[list[list[int]], list[list[int]]]:
        """As recorded."""
        return [[*pair] for pair in self.labels.items()], [[*pair] for pair in self.attributes.items()]


def moves(before: tuple[Relabeling, ...], body: Body) -> tuple[Relabeling, ...]:
    """A fold of a task's stream: how its labels gave way to others, time after time."""
    if not isinstance(body, TaskMoved):
        return before
    return (*before, Relabeling(_as_mapping(body.labels), _as_mapping(body.attributes)))


def brought_along(item: Item, moves: Iterable[Relabeling], present: Container[int]) -> Item:
    """An object that was drawn some time ago, as it would be now if it had always stood. `present`: the labels that
    there are now. One under these stays as it is, though its task may have left them and come back.
    """
    for mapping in moves:
        if item["label_id"] in present:
            break
        if item["label_id"] in mapping.labels:
            item = _with_labels(item, mapping)
    return item


def relabeling(source: LabelSet, target: LabelSet, wanted: Sequence[Mapping[str, Any]] = ()) -> Relabeling:
    """By name; `wanted` may give labels another name to go by. Raises Invalid when one has no counterpart."""
    names = {entry["id"]: entry["name"] for entry in wanted if entry.get("id") is not None and entry.get("name")}
    by_name = {label["name"]: label for label in target.labels.values()}
    result = Relabeling()
    for label in source.labels.values():
        name = names.get(label["id"], label["name"])
        if name not in by_name:
            raise Invalid([f"{UNMAPPED}: it has no “{name}”"])
        result.map(label, by_name[name])
    return result


def relabeled(drawn: Drawn, mapping: Relabeling, labels: LabelSpecs, project_id: int) -> list[Body]:
    """The events that put what was drawn in a job under its new labels. What belonged to a deleted label goes."""
    ids = (drawn.job_id, drawn.task_id, project_id)
    kept: Document = {kind: [] for kind in KINDS}
    removed: Removed = {}
    for kind, items in drawn.document.items():
        for item in items:
            if item["label_id"] in mapping.labels:
                kept[kind].append(_with_labels(item, mapping))
            else:
                removed.setdefault(kind, {}).setdefault(shape_type(kind, item), []).append(item["id"])
    bodies: list[Body] = []
    if removed:
        tracks = {track["id"]: shown(track, drawn.stop_frame) for track in drawn.document.get("tracks", ())}
        bodies.append(AnnotationsChanged(*ids, {}, {}, removed, gone(removed, tracks)))
    parts = split_document(normalize(kept, labels, "update"))
    return bodies + [AnnotationsChanged(*ids, {}, part, {}, _as_visible(part)) for part in parts]


def _as_visible(document: Document) -> list[TrackChange]:
    """Other labels don't change where a track shows."""
    return [TrackChange(id=track["id"], visible=0) for track in document.get("tracks", ())]


def _with_labels(item: Item, mapping: Relabeling) -> Item:
    """An object or a part of one. Parts of tracks have attributes but no label."""
    new = dict(item)
    if "label_id" in item:
        new["label_id"] = mapping.labels[item["label_id"]]
    new["attributes"] = [
        {**value, "spec_id": mapping.attributes[value["spec_id"]]}
        for value in item.get("attributes", ())
        if value["spec_id"] in mapping.attributes
    ]
    for part in ("shapes", "elements"):
        if part in item:
            new[part] = [_with_labels(inner, mapping) for inner in item[part]]
    return new


def _as_mapping(pairs: Iterable[Sequence[int]]) -> dict[int, int]:
    return {pair[0]: pair[1] for pair in pairs}


def _identity(attribute: AttributeSpec) -> tuple[Any, ...]:
    """What makes attributes of two labels the same one."""
    return attribute["name"], attribute["input_type"], attribute["mutable"], tuple(attribute["values"])
