"""The numbers of a shape: what a list of points must be for each type of shape."""

from __future__ import annotations

from collections.abc import Sequence
from math import hypot
from typing import Any

MAX_COORDINATE = 2**53
"""Beyond this JSON readers no longer agree on a number."""

# type → (fewest numbers, most or None, multiple of)
LENGTHS: dict[str, tuple[int, int | None, int]] = {
    "rectangle": (4, 4, 1),
    "ellipse": (4, 4, 1),
    "polygon": (6, None, 2),
    "polyline": (4, None, 2),
    "points": (2, None, 2),
    "cuboid": (16, 16, 1),
    "mask": (5, None, 1),
    "skeleton": (0, 0, 1),
}
_NUMBERS = frozenset((int, float))


def surely_valid(points: Any, shape_type: str) -> bool:
    """True for a list that breaks no rule; False also for one that needs a closer look. May raise TypeError,
    OverflowError or KeyError on wild input.
    """
    fewest, most, step = LENGTHS[shape_type]
    return (
        type(points) is list
        and len(points) >= fewest
        and (most is None or len(points) <= most)
        and (step == 1 or len(points) % step == 0)
        and _NUMBERS.issuperset(map(type, points))
        # One C call bounds all numbers at once; it is false for NaN and infinity.
        and hypot(*points) <= MAX_COORDINATE
        and (shape_type != "mask" or (points[-4] <= points[-2] and points[-3] <= points[-1]))
    )


def fault_of(points: Sequence[Any], shape_type: str | None) -> str | None:
    """What is wrong with these points, or None. `shape_type` None: only the numbers are looked at."""
    for position, value in enumerate(points):
        if type(value) is not float and type(value) is not int:
            return f"Number {position}: a valid number is required, not {type(value).__name__}."
        if not -MAX_COORDINATE <= value <= MAX_COORDINATE:
            return f"Number {position}: a finite number between -2^53 and 2^53 is required."
    return _length_fault(points, shape_type) if shape_type else None


def _length_fault(points: Sequence[float], shape_type: str) -> str | None:
    fewest, most, step = LENGTHS[shape_type]
    if most is not None and not fewest <= len(points) <= most:
        return f"A {shape_type} has exactly {most} numbers, not {len(points)}."
    if len(points) < fewest:
        return f"A {shape_type} has at least {fewest} numbers, not {len(points)}."
    if len(points) % step:
        return f"A {shape_type} has an even count of numbers, not {len(points)}."
    if shape_type == "mask" and (points[-4] > points[-2] or points[-3] > points[-1]):
        return "A mask ends with its box: left, top, right, bottom, where left <= right and top <= bottom."
    return None
