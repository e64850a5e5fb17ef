"""On how many frames a track shows: the short way comes to what looking at each frame does."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.annotation.interpolation import visible_at
from domain.annotation.validation import normalize
from domain.annotation.visibility import visible_shapes

from .drawing import FOOT, HEAD, LABELS, PERSON, keyframe, track, tracks


def stored(raw: dict[str, Any]) -> dict[str, Any]:
    """The track as it is accepted."""
    (item,) = normalize({"tracks": [raw]}, LABELS, "create")["tracks"]
    return item


def frame_by_frame(item: dict[str, Any], stop_frame: int) -> int:
    return sum(visible_at(item, frame) is not None for frame in range(stop_frame + 1))


@given(tracks(st.integers(0, 40)), st.integers(0, 50))
def test_it_is_counted_as_one_would_by_looking(raw: dict[str, Any], stop_frame: int) -> None:
    item = stored(raw)
    assert visible_shapes(item, stop_frame) == frame_by_frame(item, stop_frame)


def point(*frames: tuple[int, bool], label_id: int) -> dict[str, Any]:
    shown = [{"type": "points", "frame": frame, "points": [1, 2], "outside": outside} for frame, outside in frames]
    return track(*shown, label_id=label_id)


def person(*elements: dict[str, Any], outside: bool = False) -> dict[str, Any]:
    own = {"type": "skeleton", "frame": 0, "points": [], "outside": outside}
    return track(own, label_id=PERSON, elements=[*elements])


@pytest.mark.parametrize(
    ("raw", "frames"),
    [
        (track(keyframe(3)), 7),
        (track(keyframe(3), keyframe(6, outside=True)), 3),
        (track(keyframe(0, outside=True), keyframe(2), keyframe(4), keyframe(5, outside=True), keyframe(9)), 4),
        (track(keyframe(9), keyframe(12, outside=True)), 1),
        (track(keyframe(10)), 0),
        (track(keyframe(3, outside=True)), 0),
        (person(point((0, False), (2, True), label_id=HEAD), point((4, False), (8, True), label_id=FOOT)), 6),
        (person(point((0, False), (5, True), label_id=HEAD), point((4, False), (8, True), label_id=FOOT)), 8),
        (person(point((0, False), label_id=HEAD), outside=True), 0),
    ],
    ids=["open", "ended", "with gaps", "over the end", "beyond the end", "never seen", "points in turn",
         "points together", "a hidden skeleton"],
)  # fmt: skip
def test_the_frames_of_a_job_that_ends_at_frame_9(raw: dict[str, Any], frames: int) -> None:
    assert visible_shapes(stored(raw), 9) == frames
