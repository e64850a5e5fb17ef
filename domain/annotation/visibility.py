"""On how many frames a track shows: what its keyframes come to, without looking at each frame."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import NamedTuple

from domain.annotation.document import Item

Run = tuple[int, int]
"""The first frame of some on which a line shows, and the frame after the last."""


class Shown(NamedTuple):
    """A track as far as it matters to whoever redraws or removes it: its visible shapes, the ids of its keyframes."""

    visible: int
    keyframes: list[int]


def shown(track: Item, stop_frame: int) -> Shown:
    """Of a track that stands in a job that ends at `stop_frame`."""
    return Shown(visible_shapes(track, stop_frame), [keyframe["id"] for keyframe in track["shapes"]])


def visible_shapes(track: Item, stop_frame: int) -> int:
    """The frames on which a track of a job that ends at `stop_frame` shows something (`interpolation.visible_at`): from
    each keyframe that is not `outside` to the next one, or to the end of the job. A skeleton shows where it and one of
    its points do.
    """
    runs = _runs(track["shapes"], stop_frame + 1)
    if track["elements"]:
        parts = (run for element in track["elements"] for run in _runs(element["shapes"], stop_frame + 1))
        return _shared(runs, parts)
    return sum(after - first for first, after in runs)


def _runs(keyframes: Sequence[Item], end: int) -> Iterator[Run]:
    """Of keyframes in order of frames; before frame `end`."""
    for keyframe, following in pairwise((*keyframes, {"frame": end})):
        first, after = keyframe["frame"], following["frame"]
        if not keyframe["outside"] and first < end:
            yield first, min(after, end)


def _shared(whole: Iterator[Run], parts: Iterator[Run]) -> int:
    """The frames of `whole` on which there are `parts`."""
    steps = [(frame, by, 0) for first, after in whole for frame, by in ((first, 1), (after, -1))]
    steps += [(frame, 0, by) for first, after in parts for frame, by in ((first, 1), (after, -1))]
    shown = of_whole = of_parts = last = 0
    for frame, by_whole, by_part in sorted(steps):
        if of_whole and of_parts:
            shown += frame - last
        of_whole, of_parts, last = of_whole + by_whole, of_parts + by_part, frame
    return shown
