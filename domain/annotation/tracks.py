"""Tracks as they are accepted: keyframes in order, starting where the track starts."""

from __future__ import annotations

from collections.abc import Callable
from operator import itemgetter

from domain.annotation.attributes import carried, read_attributes
from domain.annotation.document import MAX_FRAME, Item, LabelSpec
from domain.annotation.fields import Fields
from domain.annotation.shapes import (
    read_geometry,
    read_group,
    read_id,
    read_label,
    read_part_id,
    read_source,
)

frame_of = itemgetter("frame")


def read_track(fields: Fields) -> Item | None:
    """The track, or None when it has no keyframes: then it shows nowhere, and is dropped as CVAT does."""
    track = _read_line(fields, read_id(fields))
    label = None if fields.scan.deleting else fields.scan.labels.get(track["label_id"])
    elements = fields.items("elements", _element_reader(label), fields.scan.limits.elements, default=[])
    track["elements"] = elements
    if fields.errors or fields.scan.deleting:
        return track
    return settled(track) if track["shapes"] else None


def settled(track: Item) -> Item:
    """The track with each of its lines starting at one frame: the earliest that the track or an element names. A line
    whose first keyframe is later gets an `outside` copy of it there, as CVAT does; a skeleton's own first keyframe,
    which has no points, moves there instead. Elements without keyframes are dropped.
    """
    elements = [element for element in track["elements"] if element["shapes"]]
    lines = [track, *elements]
    start = min(min(line["frame"], line["shapes"][0]["frame"]) for line in lines)
    return {**_starting_at(start, track), "elements": [_starting_at(start, element) for element in elements]}


def _starting_at(start: int, line: Item) -> Item:
    first = line["shapes"][0]
    if first["frame"] == start:
        return line if line["frame"] == start else {**line, "frame": start}
    if first["type"] == "skeleton":
        shapes = [{**first, "frame": start}, *line["shapes"][1:]]
    else:
        shapes = [{**first, "id": None, "frame": start, "outside": True}, *line["shapes"]]
    return {**line, "frame": start, "shapes": shapes}


def _element_reader(parent: LabelSpec | None) -> Callable[[Fields], Item]:
    def read(fields: Fields) -> Item:
        return _read_line(fields, read_part_id(fields), parent)

    return read


def _read_line(fields: Fields, item_id: int | None, parent: LabelSpec | None = None) -> Item:
    """A track or an element's track, but for elements."""
    label_id, label = read_label(fields, parent)
    return {
        "id": item_id,
        "frame": fields.integer("frame", high=MAX_FRAME),
        "label_id": label_id,
        "group": read_group(fields),
        "source": read_source(fields),
        "attributes": read_attributes(fields, label.immutable if label else None),
        "shapes": _read_keyframes(fields, label),
    }


def _read_keyframes(fields: Fields, label: LabelSpec | None) -> list[Item]:
    """Keyframes by frame; of two on one frame the last counts."""
    keyframes = fields.items("shapes", _keyframe_reader(label), fields.scan.limits.keyframes)
    if fields.scan.deleting:
        return keyframes
    by_frame = {keyframe["frame"]: keyframe for keyframe in keyframes}
    ordered = sorted(by_frame.values(), key=frame_of)
    return carried(ordered, label.mutable) if label else ordered


def _keyframe_reader(label: LabelSpec | None) -> Callable[[Fields], Item]:
    def read(fields: Fields) -> Item:
        return {
            "id": read_part_id(fields),
            "frame": fields.integer("frame", high=MAX_FRAME),
            **read_geometry(fields),
            "attributes": read_attributes(fields, label.mutable if label else None, fill=False),
        }

    return read
