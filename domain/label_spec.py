"""Labels: what may be drawn, and with which attributes. They belong to a project, or to a task that stands alone."""

from __future__ import annotations

import colorsys
import hashlib
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from domain.errors import Invalid
from domain.events.label import AttributeSpec, LabelSpec
from domain.ports import Ids

TYPES = (
    "any", "cuboid", "ellipse", "mask", "points", "polygon", "polyline", "rectangle", "skeleton", "tag", "interval",
)  # fmt: skip
INPUT_TYPES = ("checkbox", "radio", "number", "text", "select")
COLOR = re.compile(r"^#[0-9a-fA-F]{6}\Z")
MAX_NAME = 64
MAX_LABELS = 10_000


def define(wanted: list[dict[str, Any]], ids: Ids, taken: frozenset[str] = frozenset()) -> list[LabelSpec]:
    """The labels as recorded, from the client's: ids allocated, colors and defaults decided. `taken`: names that the
    parent has already. Raises Invalid in CVAT's shape.
    """
    check(wanted, taken)
    label_ids = iter(ids.many("label", _count(wanted)))
    attribute_ids = iter(ids.many("attribute", sum(_attributes_in(label) for label in wanted)))
    return [_label(label, label_ids, attribute_ids) for label in wanted]


def check(wanted: list[dict[str, Any]], taken: frozenset[str]) -> None:
    """Every rule on the labels of a new parent. Errors keep the positions of the labels that they are about."""
    if len(wanted) + len(taken) > MAX_LABELS:
        raise Invalid({"labels": [f"At most {MAX_LABELS} labels are allowed."]})
    errors = [_label_errors(label) for label in wanted]
    if any(errors):
        raise Invalid({"labels": errors})
    check_unique([*taken, *(label["name"] for label in wanted)])


def check_unique(names: Iterable[str]) -> None:
    """Of the labels of one parent. Raises Invalid."""
    if repeated := _repeated(names):
        raise Invalid({"labels": [f"All label names must be unique, not: {repeated}"]})


def color_of(name: str) -> str:
    """The color of a label that was given none: a bright one, always the same for the same name."""
    hue = int.from_bytes(hashlib.sha256(name.lower().encode()).digest()[:2], "big") / 65_536
    red, green, blue = colorsys.hsv_to_rgb(hue, 0.75, 0.9)
    return f"#{round(red * 255):02x}{round(green * 255):02x}{round(blue * 255):02x}"


def _label_errors(label: dict[str, Any]) -> dict[str, Any]:
    errors: dict[str, Any] = {}
    name = label.get("name")
    if not isinstance(name, str) or not name.strip():
        errors["name"] = ["This field may not be blank."]
    elif len(name) > MAX_NAME:
        errors["name"] = [f"Ensure this field has no more than {MAX_NAME} characters."]
    if label.get("type") and label["type"] not in TYPES:
        errors["type"] = [f'"{label["type"]}" is not a valid choice.']
    if label.get("color") and not COLOR.match(str(label["color"])):
        errors["color"] = ["Write a color as #rrggbb."]
    for part, errors_of in (("attributes", _attribute_errors), ("sublabels", _point_errors)):
        items = label.get(part) or []
        faults: list[Any] = [errors_of(item) for item in items]
        repeated = _repeated(str(item.get("name")) for item in items)
        if any(faults):
            errors[part] = faults
        elif repeated:
            errors[part] = [f"All names must be unique, not: {repeated}"]
    return errors


def _point_errors(label: dict[str, Any]) -> dict[str, Any]:
    if label.get("type") == "skeleton":
        return {"type": ["A point of a skeleton can't be a skeleton itself."]}
    return _label_errors(label)


def _repeated(names: Iterable[str]) -> str:
    """Some of the names that come more than once, as words; none: empty."""
    return ", ".join(sorted(name for name, count in Counter(names).items() if count > 1)[:10])


def _attribute_errors(attribute: Mapping[str, Any]) -> dict[str, Any]:
    errors: dict[str, Any] = {}
    if not str(attribute.get("name") or "").strip():
        errors["name"] = ["This field may not be blank."]
    if attribute.get("input_type") not in INPUT_TYPES:
        errors["input_type"] = [f'"{attribute.get("input_type")}" is not a valid choice.']
    if not isinstance(attribute.get("values") or [], list):
        errors["values"] = ["Expected a list of items."]
    return errors


def _count(labels: list[dict[str, Any]]) -> int:
    return sum(1 + _count(label.get("sublabels") or []) for label in labels)


def _attributes_in(label: dict[str, Any]) -> int:
    return len(label.get("attributes") or []) + sum(_attributes_in(sub) for sub in label.get("sublabels") or [])


def _label(label: dict[str, Any], label_ids: Any, attribute_ids: Any) -> LabelSpec:
    spec = LabelSpec(
        id=next(label_ids),
        name=label["name"],
        color=label.get("color") or color_of(label["name"]),
        type=label.get("type") or "any",
        attributes=[attribute(wanted, next(attribute_ids)) for wanted in label.get("attributes") or []],
    )
    if spec["type"] == "skeleton":
        spec["sublabels"] = [_label(sublabel, label_ids, attribute_ids) for sublabel in label.get("sublabels") or []]
        spec["svg"] = with_ids(label.get("svg") or "", spec["sublabels"])
    return spec


def define_attribute(wanted: Mapping[str, Any], ids: Ids) -> AttributeSpec:
    """A new attribute of a label that there is. Raises Invalid."""
    errors = _attribute_errors(wanted)
    if errors:
        raise Invalid({"attributes": [errors]})
    return attribute(wanted, ids.one("attribute"))


def attribute(wanted: Mapping[str, Any], attribute_id: int) -> AttributeSpec:
    """As recorded: texts, and never without a value."""
    values = [str(value) for value in wanted.get("values") or []] or [""]
    default = wanted.get("default_value")
    return AttributeSpec(
        id=attribute_id,
        name=str(wanted["name"]),
        mutable=bool(wanted.get("mutable")),
        input_type=wanted["input_type"],
        default_value=values[0] if default is None else str(default),
        values=values,
    )


def with_ids(svg: str, sublabels: Sequence[LabelSpec]) -> str:
    """A skeleton's drawing names its points by label; what is kept refers to them by id, as CVAT does."""
    for sublabel in sublabels:
        svg = svg.replace(f'data-label-name="{sublabel["name"]}"', f'data-label-id="{sublabel["id"]}"')
    return svg
