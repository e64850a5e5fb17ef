"""What annotations say of themselves, as datumaro's attributes: by name, with values of JSON's types."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from domain.annotation.document import SOURCES, Item
from infra.formats.model import Attribute

FLAGS = ("occluded", "rotation", "source", "score", "track_id", "keyframe")
"""What is not an attribute of the label. Where a label has one of such a name, the attribute has precedence."""


def outgoing(item: Item, attributes: Mapping[int, Attribute]) -> dict[str, Any]:
    """Of a shape or tag. `attributes`: those of all labels, by id."""
    found: dict[str, Any] = {}
    if "type" in item:
        found["occluded"] = item["occluded"]
        if item["type"] in ("rectangle", "ellipse"):
            found["rotation"] = float(item["rotation"])
    if item["source"] != "manual":
        found["source"] = item["source"]
    if item.get("score", 1) != 1:
        found["score"] = item["score"]
    if "track_id" in item:
        found |= {"track_id": item["track_id"], "keyframe": item["keyframe"]}
    for value in item["attributes"]:
        spec = attributes.get(value["spec_id"])
        if spec is not None:
            found[spec.name] = _typed(value["value"], spec.input_type)
    return found


def texts(found: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The attributes that came in, as texts."""
    return [(name, _text(value)) for name, value in found.items()]


def flags(found: Mapping[str, Any], own: Iterable[str]) -> dict[str, Any]:
    """What came in and is about the shape itself. `own`: the names of the label's attributes."""
    said = {name: found[name] for name in FLAGS if name in found and name not in own}
    source = str(said.get("source", "manual")).lower()
    flags = {"source": source if source in SOURCES else "manual", "occluded": _is_true(said.get("occluded"))}
    if "score" in said:
        flags["score"] = said["score"]
    return flags | {name: said[name] for name in ("rotation", "track_id", "keyframe") if name in said}


def _typed(text: str, input_type: str) -> bool | int | float | str:
    """A value that reads back as the same text."""
    if input_type == "checkbox" and text in ("true", "false"):
        return text == "true"
    if input_type == "number":
        for kind in (int, float):
            try:
                number = kind(text)
            except ValueError:
                continue
            if str(number) == text and abs(number) < 2**53:
                return number
    return text


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)


def _is_true(value: Any) -> bool:
    return value is True or str(value).lower() in ("true", "1")
