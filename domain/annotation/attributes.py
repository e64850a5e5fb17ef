"""Attribute values: what an object may carry, and what it shows where nothing was said."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

from domain.annotation.document import MAX_ID, Document, Item, LabelSpecs, Limits
from domain.annotation.fields import Fields

MAX_VALUE = 4096

Defaults = Mapping[int, str]
"""The attributes that may be used in a place, each with the value that it has there unless told otherwise."""


def quick_attributes(raw: Any, defaults: Defaults, limits: Limits) -> list[Item] | None:
    """The complete attributes of an object, or None when the input needs a closer look. May raise on wild input."""
    if type(raw) is not list or len(raw) > limits.attributes:
        return None
    values: dict[int, str] = {}
    for attribute in raw:
        spec_id, value = attribute["spec_id"], attribute["value"]
        if type(spec_id) is not int or spec_id not in defaults or type(value) is not str:
            return None
        if len(value) > MAX_VALUE or "\0" in value or not (value.isascii() or _text_fault(value) is None):
            return None
        values[spec_id] = value
    return complete(values, defaults)


def read_attributes(fields: Fields, defaults: Defaults | None, fill: bool = True) -> list[Item]:
    """The field `attributes`, completed with defaults if `fill`. Of a value given twice the last counts. `defaults`
    None: nothing is known about the label, so nothing is checked or added.
    """
    given = fields.items("attributes", _read_attribute, fields.scan.limits.attributes, default=[])
    values = {attribute["spec_id"]: attribute["value"] for attribute in given}
    if defaults is None:
        return _as_items(values)
    for spec_id in values.keys() - defaults.keys():
        fields.scan.broken(f"spec_id `{spec_id}` is invalid")
    return complete(values, defaults) if fill else _as_items(values)


def complete(values: dict[int, str], defaults: Defaults) -> list[Item]:
    """The values in the given order, then what is missing, in the label's order."""
    if len(values) < len(defaults):
        values.update((spec_id, default) for spec_id, default in defaults.items() if spec_id not in values)
    return _as_items(values)


def conform(document: Document, labels: LabelSpecs) -> Document:
    """The document as it reads under `labels`, when they have changed since it was written: attributes added to a label
    show with their default, values of attributes that are gone are left out. Shares whatever needs no change.
    """
    conformed = dict(document)
    for kind, suit in (("tags", _suit), ("shapes", _suit), ("tracks", _suit_track), ("intervals", _suit)):
        if kind in document:
            conformed[kind] = [suit(item, labels) for item in document[kind]]
    return conformed


def carried(keyframes: list[Item], defaults: Defaults) -> list[Item]:
    """Keyframes in order of frames with complete attributes: what one leaves out holds over from the last."""
    result = []
    for keyframe in keyframes:
        suited = _with_attributes(keyframe, defaults)
        result.append(suited)
        defaults = {attribute["spec_id"]: attribute["value"] for attribute in suited["attributes"]}
    return result


def _suit(item: Item, labels: LabelSpecs) -> Item:
    label = labels.by_id.get(item["label_id"])
    suited = _with_attributes(item, label.defaults) if label else item
    if item.get("elements"):
        suited = {**suited, "elements": [_suit(element, labels) for element in item["elements"]]}
    return suited


def _suit_track(track: Item, labels: LabelSpecs) -> Item:
    label = labels.by_id.get(track["label_id"])
    suited = _with_attributes(track, label.immutable) if label else dict(track)
    if label:
        suited = {**suited, "shapes": carried(track["shapes"], label.mutable)}
    if track.get("elements"):
        suited["elements"] = [_suit_track(element, labels) for element in track["elements"]]
    return suited


def _with_attributes(item: Item, defaults: Defaults) -> Item:
    """The item itself when it already has exactly these attributes."""
    given = item["attributes"]
    if len(given) == len(defaults) and all(attribute["spec_id"] in defaults for attribute in given):
        return item
    values = {a["spec_id"]: a["value"] for a in given if a["spec_id"] in defaults}
    return {**item, "attributes": complete(values, defaults)}


def _as_items(values: Mapping[int, str]) -> list[Item]:
    return [{"spec_id": spec_id, "value": value} for spec_id, value in values.items()]


def _read_attribute(fields: Fields) -> Item:
    return {"spec_id": fields.integer("spec_id", high=MAX_ID), "value": _value(fields)}


def _value(fields: Fields) -> str:
    """Any scalar, in JSON's spelling: true is "true", as a checkbox is everywhere else."""
    value = fields.raw.get("value")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int) and abs(value) <= MAX_ID:
        return str(value)
    if isinstance(value, float) and isfinite(value):
        return repr(value)
    fault = _value_fault(value, "value" in fields.raw)
    if fault:
        fields.fault("value", fault)
    return value if isinstance(value, str) else ""


def _value_fault(value: Any, present: bool) -> str | None:
    if isinstance(value, str):
        return _text_fault(value)
    if value is None:
        return "This field may not be null." if present else "This field is required."
    return "Not a valid string."


def _text_fault(value: str) -> str | None:
    if len(value) > MAX_VALUE:
        return f"Ensure this field has no more than {MAX_VALUE} characters."
    if "\0" in value:
        return "Null characters are not allowed."
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        return "Surrogate characters are not allowed."
    return None
