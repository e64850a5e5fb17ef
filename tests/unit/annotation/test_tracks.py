"""Tracks: where they start, and what they show between keyframes."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.annotation.document import Item
from domain.annotation.interpolation import interpolate, visible_at
from domain.annotation.validation import normalize

from .drawing import FOOT, HEAD, LABELS, PERSON, keyframe, track, tracks


def settled(raw: dict[str, Any]) -> Item:
    [result] = normalize({"tracks": [raw]}, LABELS, "put")["tracks"]
    return result


def summary(line: Item) -> list[tuple[int, bool]]:
    return [(shape["frame"], shape["outside"]) for shape in line["shapes"]]


def bones(*lines: Item, frame: int = 0) -> dict[str, Any]:
    own = {"frame": frame, "type": "skeleton", "points": []}
    return {"frame": frame, "label_id": PERSON, "shapes": [own], "elements": [*lines]}


def test_a_track_starts_at_its_first_keyframe() -> None:
    assert settled(track(keyframe(7), keyframe(3), frame=5))["frame"] == 3


def test_a_track_said_to_start_earlier_is_outside_until_its_first_keyframe() -> None:
    result = settled(track(keyframe(5, occluded=True), frame=2))
    assert (result["frame"], summary(result)) == (2, [(2, True), (5, False)])
    assert result["shapes"][0]["points"] == result["shapes"][1]["points"]


def test_keyframes_are_put_in_order_and_the_last_on_a_frame_counts() -> None:
    result = settled(track(keyframe(4), keyframe(1), keyframe(4, [5, 5, 6, 6])))
    assert [(shape["frame"], shape["points"]) for shape in result["shapes"]] == [
        (1, [1, 2, 30.5, 40]),
        (4, [5, 5, 6, 6]),
    ]


def test_a_track_without_keyframes_is_dropped() -> None:
    document = normalize({"tracks": [track(), track(keyframe(1))]}, LABELS, "put")
    assert [line["frame"] for line in document["tracks"]] == [1]


def test_the_lines_of_a_skeleton_start_together() -> None:
    raw = bones(track(keyframe(4), label_id=HEAD), track(keyframe(2), keyframe(8), label_id=FOOT), frame=3)
    result = settled(raw)
    assert [summary(line) for line in (result, *result["elements"])] == [
        [(2, False)],
        [(2, True), (4, False)],
        [(2, False), (8, False)],
    ]
    assert {line["frame"] for line in (result, *result["elements"])} == {2}


def test_an_element_without_keyframes_is_dropped() -> None:
    result = settled(bones(track(keyframe(0), label_id=HEAD), track(label_id=FOOT)))
    assert [element["label_id"] for element in result["elements"]] == [HEAD]


@pytest.mark.parametrize(
    ("frame", "points"),
    [(0, [0, 0, 10, 10]), (5, [10.0, 0.0, 20.0, 10.0]), (10, [20, 0, 30, 10]), (99, [20, 0, 30, 10])],
)
def test_a_box_moves_in_a_straight_line_and_stays_where_it_ends(frame: int, points: list[float]) -> None:
    state = interpolate(settled(track(keyframe(0, [0, 0, 10, 10]), keyframe(10, [20, 0, 30, 10]))), frame)
    assert state is not None
    assert (state["frame"], state["points"], state["outside"]) == (frame, points, False)


def test_before_it_starts_a_track_is_nothing() -> None:
    assert interpolate(settled(track(keyframe(3))), 2) is None


def test_flags_and_attributes_hold_until_the_next_keyframe() -> None:
    state = interpolate(settled(track(keyframe(0, occluded=True, z_order=3), keyframe(10, [9, 9, 9, 9]))), 9)
    assert state is not None
    assert (state["occluded"], state["z_order"], state["id"]) == (True, 3, None)


@pytest.mark.parametrize(("angle", "goal", "middle"), [(0, 90, 45), (350, 20, 5), (20, 350, 5), (360, 0, 0)])
def test_rotation_takes_the_shorter_way(angle: float, goal: float, middle: float) -> None:
    state = interpolate(settled(track(keyframe(0, rotation=angle), keyframe(2, rotation=goal))), 1)
    assert state is not None
    assert state["rotation"] == pytest.approx(middle)


@pytest.mark.parametrize(
    ("shape_type", "points", "goal"),
    [
        ("polygon", [0, 0, 10, 0, 10, 10], [0, 0, 20, 0, 20, 20, 0, 20]),
        ("mask", [0, 4, 0, 0, 1, 1], [0, 4, 8, 8, 9, 9]),
    ],
)
def test_what_cannot_move_holds(shape_type: str, points: list[float], goal: list[float]) -> None:
    shapes = [keyframe(0, points, type=shape_type), keyframe(10, goal, type=shape_type)]
    assert [interpolate(settled(track(*shapes)), frame)["points"] for frame in (1, 9, 10)] == [points, points, goal]  # type: ignore[index]


def test_outside_is_not_seen() -> None:
    result = settled(track(keyframe(0), keyframe(4, outside=True), keyframe(8)))
    assert [frame for frame in range(10) if visible_at(result, frame)] == [0, 1, 2, 3, 8, 9]


def test_what_is_outside_stays_where_it_left() -> None:
    result = settled(track(keyframe(0), keyframe(4, [1, 1, 2, 2], outside=True), keyframe(8)))
    state = interpolate(result, 6)
    assert state is not None
    assert (state["outside"], state["points"]) == (True, [1, 1, 2, 2])


def test_of_a_skeleton_the_visible_elements_are_seen() -> None:
    result = settled(
        bones(track(keyframe(0), keyframe(4, outside=True), label_id=HEAD), track(keyframe(2), label_id=FOOT))
    )
    seen = [
        [element["label_id"] for element in state["elements"]] for f in (0, 2, 5) if (state := visible_at(result, f))
    ]
    assert seen == [[HEAD], [HEAD, FOOT], [FOOT]]


@given(tracks(st.integers(0, 20)))
def test_all_lines_start_at_the_frame_of_the_track_and_ascend(raw: dict[str, Any]) -> None:
    result = settled(raw)
    for line in (result, *result["elements"]):
        frames = [shape["frame"] for shape in line["shapes"]]
        assert frames == sorted(set(frames))
        assert frames[0] == line["frame"] == result["frame"]
