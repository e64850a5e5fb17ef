"""Tracks as annotations.xml has them, put together keyframe by keyframe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from domain.annotation.document import Item
from domain.annotation.tracks import frame_of
from infra.formats.model import Attribute, Label

Found = Sequence[tuple[Attribute, Item]]
"""Attributes with their values."""


class OpenTrack:
    """A track between its start and its end. In the file every keyframe tells all attributes; those that can't change
    belong to the track.
    """

    def __init__(self, label: Label, group: int, source: str) -> None:
        self.label = label
        self._common = {"group": group, "source": source}
        self._line = _Line(label)
        self._elements: dict[int, _Line] = {}

    def add(self, keyframe: Item, attributes: Found, point: Label | None) -> None:
        """`point`: the label of the skeleton's point that it is about."""
        line = self._line
        if point is not None:
            line = self._elements.setdefault(point.id, _Line(point))
        line.add(keyframe, attributes)

    def closed(self, end: int | None = None) -> tuple[list[Item], list[Item]]:
        """Shapes and tracks, which show nothing from the frame `end` on. Masks can't be tracked: each keyframe of one
        is a shape, as CVAT has it.
        """
        keyframes = self._line.keyframes
        if not keyframes:
            return [], []
        if keyframes[0]["type"] == "mask":
            return [self._shape(keyframe) for keyframe in keyframes if not keyframe["outside"]], []
        elements = [line.track(end) | self._common for line in self._elements.values() if line.keyframes]
        return [], [self._line.track(end) | self._common | {"elements": elements}]

    def _shape(self, keyframe: Item) -> Item:
        attributes = [*self._line.attributes.values(), *keyframe["attributes"]]
        return {**keyframe, **self._common, "label_id": self.label.id, "attributes": attributes}


class _Line:
    """The keyframes of a track, or of one point of a skeleton's."""

    def __init__(self, label: Label) -> None:
        self.keyframes: list[Item] = []
        self.attributes: dict[int, Any] = {}
        self._label = label

    def add(self, keyframe: Item, attributes: Found) -> None:
        self.attributes |= {spec.id: item for spec, item in attributes if not spec.mutable}
        keyframe["attributes"] = [item for spec, item in attributes if spec.mutable]
        self.keyframes.append(keyframe)

    def track(self, end: int | None) -> Item:
        last = max(self.keyframes, key=frame_of)
        if end is not None and not last["outside"]:
            self.keyframes.append({**last, "frame": end, "outside": True})
        return {
            "label_id": self._label.id,
            "frame": min(keyframe["frame"] for keyframe in self.keyframes),
            "attributes": list(self.attributes.values()),
            "shapes": self.keyframes,
        }
