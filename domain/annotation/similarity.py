"""How alike two drawn figures are, from 0 to 1: by intersection over union where they enclose an area."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from math import cos, hypot, isclose, radians, sin
from typing import Any

import numpy as np
from numpy.typing import NDArray

from domain.annotation.document import Item

GRID = 32
"""Areas that are not plain rectangles are compared on this many samples a side of their common box."""

SHIFT_WEIGHT = 2.5
"""For figures without an area, how fast likeness falls with distance (in diagonals): a square that is pushed aside
loses as much of its intersection over union."""

PAIR_COST, AREA_COST = 50, 1_000

Floats = NDArray[np.floating[Any]]
Box = tuple[float, float, float, float]


def likeness(one: Item, other: Item) -> float:
    """Of two shapes, or two states of tracks. Those of different label or type are not alike at all."""
    if one["label_id"] != other["label_id"] or one["type"] != other["type"]:
        return 0.0
    if same_place(one, other):
        return 1.0
    if _upright(one, other):
        return _overlap_of_boxes(_ordered(one["points"]), _ordered(other["points"]))
    if one["type"] in _COVERAGE:
        return _overlap_of_areas(one, other)
    if one["type"] == "skeleton":
        return _likeness_of_skeletons(one, other)
    return _nearness(one["points"], other["points"])


def cost(one: Item, other: Item) -> int:
    """Roughly what `likeness` takes, in tenths of a microsecond."""
    numbers = _count_numbers(one) + _count_numbers(other)
    if one["type"] in _COVERAGE and not _upright(one, other):
        return AREA_COST + 5 * numbers
    return PAIR_COST + 2 * numbers


def same_place(one: Item, other: Item) -> bool:
    """Equal but for rounding: same points, rotation and elements."""
    return (
        one["type"] == other["type"]
        and _close(one["points"], other["points"])
        and abs((one["rotation"] - other["rotation"] + 180) % 360 - 180) <= 1e-6
        and _close_elements(one.get("elements", ()), other.get("elements", ()))
    )


def same_state(one: Item, other: Item) -> bool:
    """Equal to a viewer, but for rounding."""
    if one["outside"] or other["outside"]:
        return bool(one["outside"] and other["outside"])
    return flags_of(one) == flags_of(other) and same_place(one, other)


def flags_of(state: Item) -> Hashable:
    """Whatever is not a matter of place."""
    return state["occluded"], state["z_order"], attribute_set(state)


def attribute_set(item: Item) -> frozenset[tuple[int, str]]:
    return frozenset((attribute["spec_id"], attribute["value"]) for attribute in item["attributes"])


def box_of(figure: Item) -> Box:
    """Left, top, right, bottom; rotation and the like are respected roughly, by a box that is never too small."""
    points = figure["points"]
    if figure["type"] == "skeleton":
        points = [number for element in figure["elements"] for number in element["points"]]
    if figure["type"] == "mask":
        left, top, right, bottom = points[-4:]
        return left, top, right + 1, bottom + 1
    if figure["type"] == "ellipse":
        x, y, width, height = points[0], points[1], abs(points[2] - points[0]), abs(points[3] - points[1])
        return _widened((x - width, y - height, x + width, y + height), figure["rotation"])
    box = (min(points[0::2]), min(points[1::2]), max(points[0::2]), max(points[1::2])) if points else (0, 0, 0, 0)
    return _widened(box, figure["rotation"])


def _upright(one: Item, other: Item) -> bool:
    """Rectangles that are compared in closed form."""
    return bool(one["type"] == "rectangle" and one["rotation"] == other["rotation"] == 0)


def _count_numbers(figure: Item) -> int:
    return len(figure["points"]) + sum(len(element["points"]) + 16 for element in figure.get("elements", ()))


def _close(one: Sequence[float], other: Sequence[float]) -> bool:
    if len(one) != len(other):
        return False
    return one == other or all(isclose(p, q, rel_tol=1e-9, abs_tol=1e-6) for p, q in zip(one, other, strict=True))


def _close_elements(one: Sequence[Item], other: Sequence[Item]) -> bool:
    return len(one) == len(other) and all(
        a["label_id"] == b["label_id"] and same_place(a, b) for a, b in zip(one, other, strict=True)
    )


def _ordered(points: Sequence[float]) -> Box:
    return min(points[0], points[2]), min(points[1], points[3]), max(points[0], points[2]), max(points[1], points[3])


def _widened(box: Box, rotation: float) -> Box:
    if not rotation:
        return box
    x, y, reach = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2, hypot(box[2] - box[0], box[3] - box[1]) / 2
    return x - reach, y - reach, x + reach, y + reach


def _overlap_of_boxes(one: Box, other: Box) -> float:
    width = min(one[2], other[2]) - max(one[0], other[0])
    height = min(one[3], other[3]) - max(one[1], other[1])
    if width <= 0 or height <= 0:
        return 0.0
    both = width * height
    return both / ((one[2] - one[0]) * (one[3] - one[1]) + (other[2] - other[0]) * (other[3] - other[1]) - both)


def _overlap_of_areas(one: Item, other: Item) -> float:
    a, b = box_of(one), box_of(other)
    left, top, right, bottom = min(a[0], b[0]), min(a[1], b[1]), max(a[2], b[2]), max(a[3], b[3])
    xs = left + (np.arange(GRID) + 0.5) * ((right - left) / GRID)
    ys = top + (np.arange(GRID) + 0.5) * ((bottom - top) / GRID)
    cover = _COVERAGE[one["type"]]
    first, second = cover(one, xs, ys), cover(other, xs, ys)
    either = np.count_nonzero(first | second)
    return float(np.count_nonzero(first & second) / either) if either else 0.0


def _nearness(one: Sequence[float], other: Sequence[float]) -> float:
    """By the mean distance of corresponding points."""
    if len(one) != len(other) or not one or len(one) % 2:
        return 0.0
    a, b = np.array(one, dtype=float).reshape(-1, 2), np.array(other, dtype=float).reshape(-1, 2)
    both = np.concatenate((a, b))
    diagonal = float(np.hypot(*(both.max(axis=0) - both.min(axis=0))))
    distance = float(np.hypot(*(a - b).T).mean())
    return max(0.0, 1 - SHIFT_WEIGHT * distance / diagonal) if diagonal else 1.0


def _likeness_of_skeletons(one: Item, other: Item) -> float:
    """By the elements that both have, less for each that only one has."""
    ours = {element["label_id"]: element["points"] for element in one["elements"]}
    theirs = {element["label_id"]: element["points"] for element in other["elements"]}
    shared = [label for label in ours if label in theirs and len(ours[label]) == len(theirs[label])]
    points = [[number for label in shared for number in side[label]] for side in (ours, theirs)]
    return _nearness(*points) * len(shared) / len(ours.keys() | theirs.keys()) if shared else 0.0


def _cover_rectangle(shape: Item, xs: Floats, ys: Floats) -> NDArray[np.bool_]:
    left, top, right, bottom = _ordered(shape["points"])
    u, v = _unturned(shape, xs, ys, (left + right) / 2, (top + bottom) / 2)
    return (np.abs(u) <= (right - left) / 2) & (np.abs(v) <= (bottom - top) / 2)


def _cover_ellipse(shape: Item, xs: Floats, ys: Floats) -> NDArray[np.bool_]:
    x, y, right, top = shape["points"]
    width, height = abs(right - x), abs(top - y)
    u, v = _unturned(shape, xs, ys, x, y)
    if not width or not height:
        return np.zeros(u.shape, dtype=bool)
    inside: NDArray[np.bool_] = (u / width) ** 2 + (v / height) ** 2 <= 1
    return inside


def _unturned(shape: Item, xs: Floats, ys: Floats, x: float, y: float) -> tuple[Floats, Floats]:
    """The samples relative to a centre, turned back by the shape's rotation."""
    u, v = np.meshgrid(xs - x, ys - y)
    angle = radians(shape["rotation"])
    return u * cos(angle) + v * sin(angle), v * cos(angle) - u * sin(angle)


def _cover_polygon(shape: Item, xs: Floats, ys: Floats) -> NDArray[np.bool_]:
    """Even-odd: a sample is inside when an odd number of edges crosses its row to the left of it."""
    corners = np.array(shape["points"], dtype=float).reshape(-1, 2)
    x0, y0 = corners.T
    x1, y1 = np.roll(corners, -1, axis=0).T
    rows, edges = np.nonzero((y0 <= ys[:, None]) != (y1 <= ys[:, None]))
    at = x0[edges] + (ys[rows] - y0[edges]) / (y1[edges] - y0[edges]) * (x1[edges] - x0[edges])
    width = len(xs) + 1
    crossings = np.bincount(rows * width + np.searchsorted(xs, at), minlength=len(ys) * width).reshape(-1, width)
    odd: NDArray[np.bool_] = crossings.cumsum(axis=1)[:, :-1] % 2 == 1
    return odd


def _cover_mask(shape: Item, xs: Floats, ys: Floats) -> NDArray[np.bool_]:
    *runs, left, top, right, bottom = shape["points"]
    width, height = right - left + 1, bottom - top + 1
    u, v = np.meshgrid(np.floor(xs - left), np.floor(ys - top))
    run = np.searchsorted(np.cumsum(runs), v * width + u, side="right")
    inside: NDArray[np.bool_] = (u >= 0) & (u < width) & (v >= 0) & (v < height) & (run % 2 == 1) & (run < len(runs))
    return inside


_COVERAGE: dict[str, Callable[[Item, Floats, Floats], NDArray[np.bool_]]] = {
    "rectangle": _cover_rectangle,
    "ellipse": _cover_ellipse,
    "polygon": _cover_polygon,
    "mask": _cover_mask,
}
