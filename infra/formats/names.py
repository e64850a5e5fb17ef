"""The names of images where several tasks share a folder."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence, Set
from dataclasses import replace
from functools import partial

from infra.formats.model import Frame, Part, Picture


def told_apart(parts: Sequence[Part]) -> list[Part]:
    """The parts, with images of one subset that had one name told apart as CVAT does: `a.jpg`, `a_1.jpg`."""
    taken: defaultdict[str, set[str]] = defaultdict(set)
    return [_with_names(part, _new_names(part, taken[part.subset])) for part in parts]


def _new_names(part: Part, taken: set[str]) -> dict[int, str]:
    """By frame number, of those that need another. `taken` learns all names."""
    renamed = {}
    for frame in part.frames():
        name = _free(frame.name, taken)
        taken.add(name)
        if name != frame.name:
            renamed[frame.number] = name
    return renamed


def _free(name: str, taken: Set[str]) -> str:
    folder, slash, last = name.rpartition("/")
    stem, dot, suffix = last.rpartition(".")
    number, free = 0, name
    while free in taken:
        number += 1
        free = f"{folder}{slash}{stem}_{number}.{suffix}" if dot else f"{folder}{slash}{suffix}_{number}"
    return free


def _with_names(part: Part, names: Mapping[int, str]) -> Part:
    if not names:
        return part
    return replace(part, frames=partial(_frames, part, names), pictures=partial(_pictures, part, names))


def _frames(part: Part, names: Mapping[int, str]) -> Iterator[Frame]:
    for frame in part.frames():
        yield frame._replace(name=names.get(frame.number, frame.name))


def _pictures(part: Part, names: Mapping[int, str]) -> Iterator[Picture]:
    """Frames of videos have no suffix in their names, and their pictures one."""
    for frame, picture in zip(part.frames(), part.pictures(), strict=True):
        name = names.get(picture.number)
        yield picture if name is None else picture._replace(name=name + picture.name.removeprefix(frame.name))
