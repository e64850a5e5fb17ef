"""What a track shows between its keyframes.

Points move in a straight line between keyframes of one type with equally many points, as CVAT's rectangles do.
Otherwise, and for masks, the earlier keyframe holds. Flags and attributes are always the earlier keyframe's. After the
last keyframe the track goes on unchanged; before the first there is nothing.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence

from domain.annotation.document import Item
from domain.annotation.tracks import frame_of

_HELD = frozenset(("mask", "skeleton"))


def interpolate(line: Item, frame: int) -> Item | None:
    """The state of a track or an element's track at a frame as a keyframe (without id, unless it is one), or None
    before it starts. An `outside` state is one in which nothing shows.
    """
    return state_at(line["shapes"], frame)


def state_at(keyframes: Sequence[Item], frame: int) -> Item | None:
    """As `interpolate`, of keyframes in order of frames."""
    following = bisect_right(keyframes, frame, key=frame_of)
    if following == 0:
        return None
    before = keyframes[following - 1]
    if before["frame"] == frame:
        return before
    if following == len(keyframes) or before["outside"]:
        return {**before, "id": None, "frame": frame}
    return _between(before, keyframes[following], frame)


def visible_at(track: Item, frame: int) -> Item | None:
    """What a viewer sees of a track at a frame: its state, with `elements` (the visible ones, each with `label_id`) for
    a skeleton. None when nothing shows.
    """
    state = state_at(track["shapes"], frame)
    if state is None or state["outside"]:
        return None
    elements = [
        {**element_state, "label_id": element["label_id"]}
        for element in track["elements"]
        if (element_state := state_at(element["shapes"], frame)) and not element_state["outside"]
    ]
    if track["elements"] and not elements:
        return None
    return {**state, "label_id": track["label_id"], "elements": elements}


def _between(before: Item, after: Item, frame: int) -> Item:
    points, goal = before["points"], after["points"]
    moves = before["type"] == after["type"] and before["type"] not in _HELD and len(points) == len(goal)
    if not moves:
        return {**before, "id": None, "frame": frame}
    share = (frame - before["frame"]) / (after["frame"] - before["frame"])
    return {
        **before,
        "id": None,
        "frame": frame,
        "points": points if points == goal else [p + (q - p) * share for p, q in zip(points, goal, strict=True)],
        "rotation": _turned(before["rotation"], after["rotation"], share),
    }


def _turned(angle: float, goal: float, share: float) -> float:
    """Degrees, the shorter way round, as CVAT does."""
    if angle == goal:
        return angle
    turn = (goal - angle + 180) % 360 - 180
    return (angle + turn * share) % 360
