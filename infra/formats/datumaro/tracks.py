"""Tracks of formats that know images only: their shapes say which track they belong to, and which are its keyframes."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Any, NamedTuple

from domain.annotation.document import Item
from infra.formats.model import Attribute

Found = Sequence[tuple[Attribute, Item]]


class _Sighting(NamedTuple):
    """A track on one frame."""

    frame: int
    shape: Item
    attributes: Found
    key: bool


class Sightings:
    """What was seen of tracks, frame by frame. `numbers`: of all frames that there are, ascending."""

    def __init__(self, numbers: Sequence[int]) -> None:
        self._numbers = numbers
        self._seen: dict[tuple[Any, ...], list[_Sighting]] = {}
        self._common: dict[tuple[Any, ...], Item] = {}

    def add(self, track_id: Any, common: Item, shape: Item, attributes: Found, *, key: bool) -> None:
        """`common`: frame, label, group and source."""
        name = (str(track_id), common["label_id"])
        self._common.setdefault(name, common)
        self._seen.setdefault(name, []).append(_Sighting(common["frame"], shape, attributes, key))

    def tracks(self) -> list[Item]:
        return [self._track(self._common[name], sorted(seen, key=_frame)) for name, seen in self._seen.items()]

    def _track(self, common: Item, seen: Sequence[_Sighting]) -> Item:
        keyframes: list[Item] = []
        elements: dict[int, list[Item]] = {}
        for place, sighting in enumerate(seen):
            fresh = place == 0 or self._next(seen[place - 1].frame) != sighting.frame
            after = self._next(sighting.frame)
            gone = after is not None and (place + 1 == len(seen) or seen[place + 1].frame != after)
            # Before it is gone it says where it is, or it would move on to where it was last.
            if sighting.key or fresh or gone:
                _tell(keyframes, elements, sighting, sighting.frame, outside=False)
            if after is not None and gone:
                _tell(keyframes, elements, sighting, after, outside=True)
        fixed = {spec.id: value for sighting in seen for spec, value in sighting.attributes if not spec.mutable}
        own = {"group": common["group"], "source": common["source"], "frame": seen[0].frame}
        return {
            **own,
            "label_id": common["label_id"],
            "attributes": list(fixed.values()),
            "shapes": keyframes,
            "elements": [
                {**own, "label_id": label_id, "attributes": [], "shapes": shapes}
                for label_id, shapes in elements.items()
            ],
        }

    def _next(self, frame: int) -> int | None:
        """The frame after this one; None: it is the last."""
        place = bisect_right(self._numbers, frame)
        return self._numbers[place] if place < len(self._numbers) else None


def _tell(
    keyframes: list[Item], elements: dict[int, list[Item]], sighting: _Sighting, frame: int, *, outside: bool
) -> None:
    """Adds a keyframe, and one of each of a skeleton's points."""
    changing = [value for spec, value in sighting.attributes if spec.mutable]
    shape = {name: value for name, value in sighting.shape.items() if name != "elements"}
    keyframes.append({**shape, "frame": frame, "outside": outside, "attributes": changing})
    for element in sighting.shape.get("elements", ()):
        point = {name: value for name, value in element.items() if name != "label_id"}
        hidden = outside or element["outside"]
        elements.setdefault(element["label_id"], []).append({**point, "frame": frame, "outside": hidden})


def _frame(sighting: _Sighting) -> int:
    return sighting.frame
