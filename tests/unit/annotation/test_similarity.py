"""How alike figures are."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.annotation.similarity import likeness
from domain.annotation.validation import normalize

from .drawing import CAR, LABELS, rectangle, shapes, skeleton


def figure(shape_type: str, points: list[float], **fields: Any) -> dict[str, Any]:
    [shape] = normalize({"shapes": [rectangle(points=points, type=shape_type, **fields)]}, LABELS, "put")["shapes"]
    return shape


SQUARE = figure("polygon", [0, 0, 100, 0, 100, 100, 0, 100])


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        (figure("rectangle", [0, 0, 10, 10]), figure("rectangle", [5, 0, 15, 10]), 1 / 3),
        (figure("rectangle", [10, 10, 0, 0]), figure("rectangle", [0, 0, 10, 10]), 1),
        (figure("rectangle", [0, 0, 10, 10]), figure("rectangle", [20, 0, 30, 10]), 0),
        (figure("rectangle", [0, 0, 0, 10]), figure("rectangle", [0, 0, 0, 10]), 1),
        (figure("rectangle", [0, 0, 90, 30], rotation=90), figure("rectangle", [30, -30, 60, 60], rotation=0), 1),
        (figure("rectangle", [0, 0, 90, 30], rotation=0.5), figure("rectangle", [0, 0, 90, 30], rotation=90), 0.2),
        (figure("rectangle", [0, 0, 10, 10], rotation=45), figure("rectangle", [0, 0, 10, 10]), 0.707),
        (SQUARE, figure("polygon", [50, 0, 150, 0, 150, 100, 50, 100]), 1 / 3),
        (SQUARE, figure("polygon", [0, 0, 100, 0, 100, 100]), 0.5),
        (SQUARE, figure("polygon", [200, 0, 300, 0, 300, 100]), 0),
        (figure("ellipse", [50, 50, 100, 0]), figure("ellipse", [50, 50, 100, 25]), 0.5),
        (figure("ellipse", [50, 50, 100, 25], rotation=90), figure("ellipse", [50, 50, 75, 0]), 1),
        (figure("mask", [0, 100, 0, 0, 9, 9]), figure("mask", [0, 50, 50, 0, 0, 9, 9]), 0.5),
        (figure("mask", [0, 100, 0, 0, 9, 9]), figure("mask", [0, 100, 5, 0, 14, 9]), 1 / 3),
        (figure("polyline", [0, 0, 30, 40]), figure("polyline", [0, 2, 30, 42]), 1 - 2.5 * 2 / 51.6),
        (figure("points", [0, 0]), figure("points", [9, 9]), 0),
        (figure("points", [1, 1, 2, 2]), figure("points", [1, 1]), 0),
        (figure("rectangle", [0, 0, 9, 9]), figure("ellipse", [0, 0, 9, 9]), 0),
        (figure("rectangle", [0, 0, 9, 9]), figure("rectangle", [0, 0, 9, 9], label_id=CAR), 0),
    ],
)
def test_likeness(one: dict[str, Any], other: dict[str, Any], expected: float) -> None:
    assert likeness(one, other) == pytest.approx(expected, abs=0.05)
    assert likeness(other, one) == pytest.approx(likeness(one, other))


def test_a_skeleton_that_lacks_elements_is_less_alike() -> None:
    [whole, moved, part] = normalize({"shapes": [skeleton(), skeleton(), skeleton()]}, LABELS, "put")["shapes"]
    moved["elements"][0] = {**moved["elements"][0], "points": [31.1, 5.0]}
    part["elements"] = moved["elements"][:1]
    assert likeness(whole, whole) == 1
    assert 0.75 < likeness(whole, moved) < 1
    assert likeness(whole, part) < 0.5


@given(st.lists(shapes(st.just(0)), min_size=2, max_size=2))
def test_likeness_is_between_nothing_and_equality(raw: list[dict[str, Any]]) -> None:
    one, other = normalize({"shapes": raw}, LABELS, "put")["shapes"]
    assert 0 <= likeness(one, other) <= 1
    assert likeness(one, one) == 1
