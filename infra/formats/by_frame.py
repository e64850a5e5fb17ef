"""What stands on each frame, tracks included: the view of formats that know images only."""

from __future__ import annotations

from collections.abc import Iterator
from operator import itemgetter
from typing import NamedTuple

from domain.annotation.document import Item
from domain.annotation.interpolation import visible_at
from infra.formats.model import Drawn, Frame, Part

_z_order = itemgetter("z_order")


class Annotated(NamedTuple):
    """A frame with its shapes, the lowest first, and tags."""

    frame: Frame
    shapes: list[Item]
    tags: list[Item]


def by_frame(part: Part) -> Iterator[Annotated]:
    """Every frame of the part in order. A track shows as a shape where it is visible, as CVAT exports it."""
    drawn, tracks = _Drawn(part.drawn()), _Tracks(part.tracks())
    for frame in part.frames():
        _, shapes, tags = drawn.at(frame.number)
        shapes = [*shapes, *tracks.at(frame.number)]
        if len(shapes) > 1:
            shapes.sort(key=_z_order)
        yield Annotated(frame, shapes, tags)


class _Drawn:
    """Asked for frame after frame."""

    def __init__(self, source: Iterator[Drawn]) -> None:
        self._source = source
        self._next = next(source, None)

    def at(self, number: int) -> Drawn:
        while self._next is not None and self._next.number < number:
            self._next = next(self._source, None)
        if self._next is None or self._next.number > number:
            return Drawn(number, [], [])
        return self._next


class _Tracks:
    """Asked for frame after frame. Only tracks that have begun and not ended are looked at."""

    def __init__(self, tracks: list[Item]) -> None:
        self._waiting = sorted(tracks, key=itemgetter("frame"), reverse=True)
        self._running: list[Item] = []
        self._last = -1

    def at(self, number: int) -> Iterator[Item]:
        since, self._last = self._last, number
        while self._waiting and self._waiting[-1]["frame"] <= number:
            self._running.append(self._waiting.pop())
        if self._running:
            self._running = [track for track in self._running if not ended(track, number)]
        for track in self._running:
            state = visible_at(track, number)
            if state is not None:
                yield _as_shape(track, state, since)


def ended(track: Item, number: int) -> bool:
    """Whether the track shows nothing any more before this frame and after."""
    last = track["shapes"][-1]
    if last["outside"] and last["frame"] <= number:
        return True
    elements = track["elements"]
    return bool(elements) and all(e["shapes"][-1]["outside"] and e["shapes"][-1]["frame"] <= number for e in elements)


def _as_shape(track: Item, state: Item, since: int) -> Item:
    """The state as a shape that tells where it comes from: `track_id`, and whether there was a `keyframe` after the
    frame `since`, which was shown before.
    """
    own = {"group": track["group"], "source": track["source"]}
    fixed = {element["label_id"]: element["attributes"] for element in track["elements"]}
    elements = [
        {**element, **own, "attributes": [*fixed[element["label_id"]], *element["attributes"]]}
        for element in state["elements"]
    ]
    lines = (track, *track["elements"])
    keyframe = any(since < shape["frame"] <= state["frame"] for line in lines for shape in line["shapes"])
    said = {"attributes": [*track["attributes"], *state["attributes"]], "track_id": track["id"], "keyframe": keyframe}
    return {**state, **own, **said, "elements": elements}
