"""Tags, shapes and intervals as they are accepted: checked, with every field filled in."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from domain.annotation.attributes import quick_attributes, read_attributes
from domain.annotation.document import MAX_FRAME, MAX_ID, SHAPE_TYPES, SOURCES, Item, LabelSpec
from domain.annotation.fields import MAX_INTEGER, Fields, Scan
from domain.annotation.points import fault_of, surely_valid

_SOURCES = frozenset(SOURCES)
_NUMBERS = (int, float)
_NO_ATTRIBUTES: list[Item] = []


def read_tag(fields: Fields) -> Item:
    item_id = read_id(fields)
    label_id, label = read_label(fields)
    return {
        "id": item_id,
        "frame": fields.integer("frame", high=MAX_FRAME),
        "label_id": label_id,
        "group": read_group(fields),
        "source": read_source(fields),
        "attributes": read_attributes(fields, label.defaults if label else None),
    }


def read_interval(fields: Fields) -> Item:
    """A stretch of an audio task. `stop` is exclusive; None: to the end."""
    item_id = read_id(fields)
    label_id, label = read_label(fields)
    start, stop = fields.integer("start", high=MAX_FRAME), fields.optional_integer("stop", high=MAX_FRAME)
    if "stop" not in fields.raw:
        fields.fault("stop", "This field is required.")
    if stop is not None and stop < start and not fields.errors:
        fields.fault("stop", "The stop may not be before the start.")
    return {
        "id": item_id,
        "label_id": label_id,
        "start": start,
        "stop": stop,
        "group": read_group(fields),
        "source": read_source(fields),
        "score": fields.number("score", 1.0, 0, 1),
        "attributes": read_attributes(fields, label.defaults if label else None),
    }


def read_shape(fields: Fields) -> Item:
    shape = _read_figure(fields, read_id(fields))
    label = None if fields.scan.deleting else fields.scan.labels.get(shape["label_id"])
    elements = fields.items("elements", _element_reader(label), fields.scan.limits.elements, default=[])
    if (
        "elements" not in fields.errors
        and "type" not in fields.errors
        and (shape["type"] == "skeleton") != bool(elements)
    ):
        fields.fault("elements", "A skeleton has at least one element; no other shape has any.")
    return {**shape, "elements": elements}


def quick_shape_reader(scan: Scan) -> Callable[[Any], Item | None]:
    """A reader for the plain case: a valid shape without elements. It gives None whenever it is not sure."""

    def read(raw: Any) -> Item | None:
        try:
            return None if scan.deleting or type(raw) is not dict else _quick_shape(raw, scan)
        except (TypeError, KeyError, OverflowError):
            return None

    return read


def _quick_shape(raw: Item, scan: Scan) -> Item | None:
    """Straight-line on purpose: 100,000 shapes pass through here in one call. What it lets through is what `read_shape`
    accepts, field by field (a property test holds them together). May raise what wild input raises.
    """
    get = raw.get
    item_id, frame, label_id, group, source = get("id"), raw["frame"], raw["label_id"], get("group", 0), get("source")
    shape_type, points, occluded, outside = raw["type"], raw["points"], get("occluded", False), get("outside", False)
    z_order, rotation, score, elements = get("z_order", 0), get("rotation", 0.0), get("score", 1.0), get("elements")
    if type(label_id) is not int or type(frame) is not int or type(z_order) is not int or type(group) is not int:
        return None
    attributes = quick_attributes(get("attributes", _NO_ATTRIBUTES), scan.labels[label_id].defaults, scan.limits)
    if not (
        attributes is not None
        and (item_id is None or (not scan.fresh and type(item_id) is int and 0 < item_id <= MAX_ID))
        and 0 <= frame <= MAX_FRAME
        and 0 <= group <= MAX_INTEGER
        and (source in _SOURCES or "source" not in raw)
        and shape_type != "skeleton"
        and surely_valid(points, shape_type)
        and len(points) <= scan.limits.points
        and type(occluded) is bool
        and type(outside) is bool
        and -MAX_INTEGER <= z_order <= MAX_INTEGER
        and type(rotation) in _NUMBERS
        and 0 <= rotation <= 360
        and type(score) in _NUMBERS
        and 0 <= score <= 1
        and (elements == [] or "elements" not in raw)
    ):
        return None
    return {
        "id": item_id,
        "frame": frame,
        "label_id": label_id,
        "group": group,
        "source": source or "manual",
        "attributes": attributes,
        "type": shape_type,
        "points": points,
        "occluded": occluded,
        "outside": outside,
        "z_order": z_order,
        "rotation": rotation,
        "score": score,
        "elements": [],
    }


def _element_reader(parent: LabelSpec | None) -> Callable[[Fields], Item]:
    def read(fields: Fields) -> Item:
        element = _read_figure(fields, read_part_id(fields), parent)
        if element["type"] == "skeleton" and "type" not in fields.errors:
            fields.fault("type", "An element of a skeleton cannot be a skeleton.")
        return element

    return read


def _read_figure(fields: Fields, item_id: int | None, parent: LabelSpec | None = None) -> Item:
    """A shape but for its elements."""
    label_id, label = read_label(fields, parent)
    return {
        "id": item_id,
        "frame": fields.integer("frame", high=MAX_FRAME),
        "label_id": label_id,
        "group": read_group(fields),
        "source": read_source(fields),
        "attributes": read_attributes(fields, label.defaults if label else None),
        **read_geometry(fields),
        "score": fields.number("score", 1.0, 0, 1),
    }


def read_geometry(fields: Fields) -> Item:
    """What shapes and keyframes have in common."""
    shape_type = fields.choice("type", SHAPE_TYPES)
    points = fields.listing("points", fields.scan.limits.points, default=[])
    if "points" not in fields.errors:
        fault = fault_of(points, None if "type" in fields.errors else shape_type)
        if fault:
            fields.fault("points", fault)
    return {
        "type": shape_type,
        "points": points,
        "occluded": fields.boolean("occluded"),
        "outside": fields.boolean("outside"),
        "z_order": fields.integer("z_order", 0, low=-MAX_INTEGER),
        "rotation": fields.number("rotation", 0.0, 0, 360),
    }


def read_id(fields: Fields) -> int | None:
    """The id of an object, which decides how its parts are read: new objects have none, known ones keep theirs."""
    raw_id = fields.raw.get("id")
    if raw_id is None:
        if fields.scan.deleting:
            fields.fault("id", "This field is required.")
        return None
    if fields.scan.fresh:
        fields.fault("id", "must be absent")
        return None
    fields.known = True
    return fields.integer("id", low=1, high=MAX_ID)


def read_part_id(fields: Fields) -> int | None:
    """The id of an element or keyframe: kept in an object that exists, passed over in a new one, which gets new ids."""
    return fields.optional_integer("id", low=1, high=MAX_ID) if fields.known else None


def read_label(fields: Fields, parent: LabelSpec | None = None) -> tuple[int, LabelSpec | None]:
    """The label's id, and the label, or None when it does not exist or does not matter because the object is to go.
    `parent`: the label whose sublabel it must be.
    """
    label_id = fields.integer("label_id")
    if fields.scan.deleting or "label_id" in fields.errors:
        return label_id, None
    label = fields.scan.labels.get(label_id)
    if label is None or (parent and label_id not in parent.sublabels):
        fields.scan.broken(f"label_id `{label_id}` is invalid")
    return label_id, label


def read_group(fields: Fields) -> int:
    return fields.optional_integer("group") or 0


def read_source(fields: Fields) -> str:
    """Where the object comes from. In an object that exists an unknown word turns into manual, as CVAT does."""
    source = fields.raw.get("source", "manual")
    if fields.known and isinstance(source, str):
        return source if source in SOURCES else "manual"
    return fields.choice("source", SOURCES, "manual")
