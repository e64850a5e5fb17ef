"""What COCO knows of shapes: boxes, polygons and masks."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from datumaro.components import annotation as dm

from domain.annotation.document import Item
from infra.formats.datumaro import outgoing
from infra.formats.model import Frame

CORNERS = 64
"""Of the polygon that stands for an ellipse."""

PARTS = (dm.AnnotationType.polygon, dm.AnnotationType.mask)


def figure(shape: Item, frame: Frame, common: Mapping[str, Any]) -> dm.Annotation | None:
    """Turned boxes and ellipses become polygons. Polygons and masks of one group and label are parts of one object, as
    CVAT has it; all else stands alone.
    """
    alone = {**common, "group": 0}
    match shape["type"]:
        case "rectangle" if shape["rotation"]:
            return dm.Polygon(_turned(_corners(*shape["points"]), shape["rotation"]), **_still(alone))
        case "rectangle":
            return outgoing.figure(shape, frame, alone)
        case "ellipse":
            return dm.Polygon(_turned(_rim(*shape["points"]), shape["rotation"]), **_still(alone))
        case "polygon" | "mask":
            return outgoing.figure(shape, frame, {**common, "group": _object(common["group"], common["label"])})
    return None


def instances(annotations: Sequence[Any]) -> list[Any]:
    """Those that count. The library tells every object's box, too, also of one that has polygons or a mask."""
    drawn = {annotation.group for annotation in annotations if annotation.type in PARTS}
    return [a for a in annotations if a.type != dm.AnnotationType.bbox or a.group not in drawn]


def _object(group: int, label: int) -> int:
    """A number for the objects of one group and label."""
    return group * 10_000 + label + 1 if group else 0


def _still(common: Mapping[str, Any]) -> dict[str, Any]:
    """Without the rotation, which is in the points."""
    attributes = {name: value for name, value in common["attributes"].items() if name != "rotation"}
    return {**common, "attributes": attributes}


def _corners(left: float, top: float, right: float, bottom: float) -> list[tuple[float, float]]:
    return [(left, top), (right, top), (right, bottom), (left, bottom)]


def _rim(cx: float, cy: float, right: float, top: float) -> list[tuple[float, float]]:
    angles = [2 * math.pi * n / CORNERS for n in range(CORNERS)]
    return [(cx + (right - cx) * math.cos(angle), cy + (cy - top) * math.sin(angle)) for angle in angles]


def _turned(corners: Sequence[tuple[float, float]], degrees: float) -> list[float]:
    """Around the middle, with the clock as one looks at the picture."""
    cx, cy = (sum(axis) / len(corners) for axis in zip(*corners, strict=True))
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    turned = [((x - cx) * cos - (y - cy) * sin + cx, (x - cx) * sin + (y - cy) * cos + cy) for x, y in corners]
    return [value for corner in turned for value in corner]
