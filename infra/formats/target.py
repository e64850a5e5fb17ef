"""Where imported annotations go: labels by name, frames by the names of their images."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property
from pathlib import PurePosixPath

from domain.annotation.document import Item
from infra.formats.model import Attribute, Frame, Label, Labels

AttributeText = tuple[str, str]
"""Name and value."""


class Frames:
    """The frames of a task or job, to be found again by what a file calls them."""

    def __init__(self, frames: Iterable[Frame]) -> None:
        self._frames = list(frames)
        self._by_name = {frame.name: frame.number for frame in self._frames}
        self._by_source = {frame.source: frame.number for frame in self._frames}

    @property
    def numbers(self) -> list[int]:
        """Ascending."""
        return [frame.number for frame in self._frames]

    def find(self, name: str, source: int | None = None) -> int | None:
        """By the path; by the path without its suffix; by the end of a path, where only one frame's path ends so or the
        other way round (`images/train/a.jpg` is `a.jpg`); else by the number in the source. None: there is no such
        frame.
        """
        number = self._by_name.get(name)
        if number is None:
            number = self._by_stem.get(_stem(name))
        if number is None:
            number = self._similar(_stem(name))
        return self.numbered(source) if number is None and source is not None else number

    def numbered(self, source: int) -> int | None:
        """The frame with this number in the task's source."""
        return self._by_source.get(source)

    @cached_property
    def _by_stem(self) -> dict[str, int]:
        return {_stem(frame.name): frame.number for frame in reversed(self._frames)}

    @cached_property
    def _by_last(self) -> dict[str, list[tuple[Sequence[str], int]]]:
        """The frames by the last part of their paths."""
        found: dict[str, list[tuple[Sequence[str], int]]] = defaultdict(list)
        for stem, number in self._by_stem.items():
            parts = PurePosixPath(stem).parts
            if parts:
                found[parts[-1]].append((parts, number))
        return found

    def _similar(self, stem: str) -> int | None:
        wanted = PurePosixPath(stem).parts
        candidates = [
            number
            for parts, number in self._by_last.get(wanted[-1] if wanted else "", ())
            if _ends_alike(parts, wanted)
        ]
        return candidates[0] if len(candidates) == 1 else None


class Target:
    """A task or job into which annotations are imported."""

    def __init__(self, labels: Labels, frames: Frames) -> None:
        self.labels, self.frames = labels, frames
        self._attributes = {label.id: {spec.name: spec for spec in label.attributes} for label in labels.all}

    def label(self, name: str, parent: str | None = None) -> Label | None:
        """`parent`: the name of the skeleton whose point is meant."""
        return self.labels.by_name.get((parent, name))

    def attributes(self, label: Label, found: Iterable[AttributeText]) -> list[tuple[Attribute, Item]]:
        """Those that the label has; of others nothing is kept, as CVAT does. Of two of one name the last counts."""
        specs = self._attributes[label.id]
        known = {specs[name]: value for name, value in found if name in specs}
        return [(spec, {"spec_id": spec.id, "value": value}) for spec, value in known.items()]


def _stem(name: str) -> str:
    folder, slash, last = name.replace("\\", "/").rpartition("/")
    stem, dot, _ = last.rpartition(".")
    return folder + slash + (stem if dot and stem else last)


def _ends_alike(parts: Sequence[str], wanted: Sequence[str]) -> bool:
    shared = min(len(parts), len(wanted))
    return parts[-shared:] == wanted[-shared:]
