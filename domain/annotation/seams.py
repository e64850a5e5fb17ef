"""Where one job's part of a track ends: closing it there, or going on with the next job's part."""

from __future__ import annotations

from domain.annotation.document import Item
from domain.annotation.interpolation import state_at
from domain.annotation.similarity import same_state
from domain.annotation.tracks import frame_of, settled


def closed(track: Item, stop: int, end: int) -> Item:
    """The track as it leaves its job: gone after the job's last frame `stop`, as CVAT shows it, when the task's jobs go
    on to a later frame `end`.
    """
    if stop >= end:
        return track
    elements = [_closed_line(element, stop) for element in track["elements"]]
    return {**_closed_line(track, stop), "elements": elements}


def joined(old: Item, new: Item, last: int) -> Item:
    """One track of two that match where their jobs overlap: the old one up to the frame `last`, the end of the overlap,
    and the new one after it.
    """
    new_elements = {element["label_id"]: element for element in new["elements"]}
    elements = [_joined_line(element, new_elements.pop(element["label_id"], None), last) for element in old["elements"]]
    return settled({**_joined_line(old, new, last), "elements": [*elements, *new_elements.values()]})


def _closed_line(line: Item, stop: int) -> Item:
    final = line["shapes"][-1]
    if final["outside"] or final["frame"] > stop:
        return line
    return {**line, "shapes": [*line["shapes"], {**final, "id": None, "frame": stop + 1, "outside": True}]}


def _joined_line(old: Item, new: Item | None, last: int) -> Item:
    """At the seam each side says where it stands, unless the keyframes around say so already."""
    if new is None:
        return _closed_line(old, last)
    before = [keyframe for keyframe in old["shapes"] if keyframe["frame"] <= last]
    after = [keyframe for keyframe in new["shapes"] if keyframe["frame"] > last]
    spoken = {keyframe["frame"] for keyframe in (*before[-1:], *after[:1])}
    states = state_at(old["shapes"], last), state_at(new["shapes"], last + 1)
    seam = [state for state in states if state and state["frame"] not in spoken]
    shapes = sorted([*before, *seam, *after], key=frame_of)
    for state in seam:
        shapes = _without_needless(shapes, state)
    return {**old, "shapes": shapes}


def _without_needless(shapes: list[Item], state: Item) -> list[Item]:
    """The keyframes without one that the others show just the same."""
    others = [keyframe for keyframe in shapes if keyframe is not state]
    shown = state_at(others, state["frame"])
    return others if shown and same_state(shown, state) else shapes
