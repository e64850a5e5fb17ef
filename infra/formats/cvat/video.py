"""`CVAT for video 1.1`: track after track, each with its state on every frame; shapes are tracks of one frame."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from itertools import count

from domain.annotation.document import Item
from domain.annotation.interpolation import state_at
from domain.annotation.tracks import frame_of
from infra.formats.cvat.geometry import ELEMENTS, written
from infra.formats.cvat.images import FOOT, HEAD
from infra.formats.cvat.meta import meta
from infra.formats.cvat.objects import INDENT, Objects, group, when_set
from infra.formats.cvat.text import in_attribute
from infra.formats.model import Dataset, Part

LINE = "\n" + 2 * INDENT
INNER = LINE + INDENT


def video_xml(dataset: Dataset, parts: Sequence[Part]) -> Iterator[str]:
    """annotations.xml, piece by piece. Tags have no place in it, as in CVAT."""
    objects, numbers = Objects(dataset.labels), count()
    yield HEAD
    yield meta(dataset, parts)
    for part in parts:
        place = ""
        if dataset.project is not None:
            place = f' task_id="{part.task.id}" subset="{in_attribute(part.subset)}"'
        for item, states in _Writer(objects, part).all():
            head = f'<track id="{next(numbers)}" label="{objects.name(item["label_id"])}" source="{item["source"]}"'
            yield f"\n  {head}{place}{group(item)}>{states}\n  </track>"
    yield FOOT


class _Line:
    """A track or an element's track, looked at frame after frame."""

    def __init__(self, line: Item) -> None:
        self.line = line
        self.end = line["shapes"][-1]["frame"]
        self._told = 0

    def is_key(self, number: int) -> bool:
        """Whether a keyframe was reached that has not been told. On a deleted frame it is told on the next that there
        is, so that what moves then still moves.
        """
        return self._reached(number) > self._told

    def tell(self, number: int) -> tuple[Item | None, int]:
        """The state, with all attributes, and 1 at a keyframe. None before the line starts."""
        key = self.is_key(number)
        self._told = self._reached(number)
        state = state_at(self.line["shapes"], number)
        if state is not None and self.line["attributes"]:
            state = {**state, "attributes": [*self.line["attributes"], *state["attributes"]]}
        return state, int(key)

    def _reached(self, number: int) -> int:
        return bisect_right(self.line["shapes"], number, key=frame_of)


class _Writer:
    """The tracks of one part, and its shapes as tracks, each with the states of which it consists."""

    def __init__(self, objects: Objects, part: Part) -> None:
        self._objects, self._part = objects, part
        self._sources = {frame.number: frame.source for frame in part.frames()}
        self._numbers = sorted(self._sources)

    def all(self) -> Iterator[tuple[Item, str]]:
        for track in self._part.tracks():
            yield track, "".join(self._track(track))
        for number, shapes, _ in self._part.drawn():
            if number in self._sources:
                for shape in shapes:
                    yield shape, "".join(self._shape(shape))

    def _track(self, track: Item) -> Iterator[str]:
        line, elements = _Line(track), [_Line(element) for element in track["elements"]]
        lines = [line, *elements]
        end = max(each.end for each in lines)
        gone = track["shapes"][-1]["outside"]
        for number in self._numbers[bisect_right(self._numbers, track["frame"] - 1) :]:
            if any(each.is_key(number) for each in lines) or self._shows(track, number):
                state, key = line.tell(number)
                assert state is not None
                yield self._state(
                    state, number, key, [(each.line["label_id"], *each.tell(number)) for each in elements]
                )
            elif gone and number > end:
                return

    @staticmethod
    def _shows(track: Item, number: int) -> bool:
        state = state_at(track["shapes"], number)
        return state is not None and not state["outside"]

    def _shape(self, shape: Item) -> Iterator[str]:
        """The shape on its frame, and gone on the next that there is."""
        first = bisect_left(self._numbers, shape["frame"])
        for number, gone in zip(self._numbers[first : first + 2], (False, True), strict=False):
            state = {**shape, "outside": gone}
            elements = [(e["label_id"], {**e, "outside": gone or e["outside"]}, 1) for e in shape["elements"]]
            yield self._state(state, number, 1, elements)

    def _state(self, state: Item, number: int, key: int, elements: Sequence[tuple[int, Item | None, int]]) -> str:
        place = f'frame="{self._sources[number]}" keyframe="{key}"'
        depth = f' z_order="{state["z_order"]}"'
        if state["type"] != "skeleton":
            return self._figure(state, LINE, place, depth)
        flags = when_set(state, "outside", "occluded")
        inner = "".join(
            self._figure(element, INNER, f'label="{self._objects.name(label_id)}" keyframe="{told}"')
            for label_id, element, told in elements
            if element is not None and self._objects.knows(label_id)
        )
        attributes = self._objects.attributes(state["attributes"], LINE + INDENT)
        return f"{LINE}<skeleton {place}{flags}{depth}>{inner}{attributes}{LINE}</skeleton>"

    def _figure(self, state: Item, pad: str, place: str, depth: str = "") -> str:
        element = ELEMENTS[state["type"]]
        flags = f'outside="{state["outside"]:d}" occluded="{state["occluded"]:d}"'
        attributes = self._objects.attributes(state["attributes"], pad + INDENT)
        return f"{pad}<{element} {place} {flags} {written(state)}{depth}>{attributes}{pad}</{element}>"
