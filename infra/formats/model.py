"""What is exported, and where imports go, whatever the format.

Objects of annotations are those of CVAT's documents (`domain.annotation.document`), with ids of labels and attributes.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import NamedTuple

from domain.annotation.document import Item
from domain.data_params import STEP

DEFAULT_SUBSET = "default"
"""The subset of tasks that name none, as CVAT has it."""

VIDEO_SUFFIX = ".PNG"
"""Of the pictures of a video's frames in datasets, as CVAT has it."""

UNSAFE = re.compile(r"[/\\:\x00-\x1f]|^\.+")
"""In the name of a folder. Subsets are what people call them."""


def folder_of(subset: str) -> str:
    """A subset's name, as it may name a folder."""
    return UNSAFE.sub("_", subset) or DEFAULT_SUBSET


def step_of(frame_filter: str) -> int:
    """How many frames of a task's source there are from one frame of its own to the next."""
    found = STEP.fullmatch(frame_filter)
    return int(found[1]) if found else 1


@dataclass(frozen=True, slots=True)
class Attribute:
    """What a label says of its objects. `values`: of a number: least, most and step."""

    id: int
    name: str
    mutable: bool
    input_type: str
    default: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Label:
    """A label, or with a `parent` one point of a skeleton. `svg`: how a skeleton is drawn."""

    id: int
    name: str
    color: str
    type: str
    attributes: tuple[Attribute, ...] = ()
    svg: str = ""
    parent: str | None = None
    sublabels: tuple[Label, ...] = ()


@dataclass(frozen=True)
class Labels:
    """The labels of a task or project, in order."""

    top: tuple[Label, ...]

    @cached_property
    def all(self) -> tuple[Label, ...]:
        """Each skeleton before its points."""
        return tuple(label for parent in self.top for label in (parent, *parent.sublabels))

    @cached_property
    def by_id(self) -> Mapping[int, Label]:
        return {label.id: label for label in self.all}

    @cached_property
    def attributes(self) -> Mapping[int, Attribute]:
        """By id."""
        return {attribute.id: attribute for label in self.all for attribute in label.attributes}

    @cached_property
    def by_name(self) -> Mapping[tuple[str | None, str], Label]:
        """By the name of the parent, and the own."""
        return {(label.parent, label.name): label for label in self.all}


class Person(NamedTuple):
    """The owner or assignee of something."""

    username: str
    email: str


class Segment(NamedTuple):
    """A job's frames, both inclusive, task-relative."""

    id: int
    job_id: int
    start: int
    stop: int


@dataclass(frozen=True, slots=True)
class Task:
    """What exports tell of a task. `start_frame` and `stop_frame` count the frames of its source, `step` of which there
    are from one of its own to the next. `left_out`: those, ascending, that are not exported although they are its own.
    `source`: the name of a video's file.
    """

    id: int
    name: str
    size: int
    mode: str
    overlap: int
    bug_tracker: str
    created: datetime
    updated: datetime
    subset: str
    start_frame: int
    stop_frame: int
    frame_filter: str
    step: int
    left_out: tuple[int, ...] = ()
    segments: tuple[Segment, ...] = ()
    owner: Person | None = None
    assignee: Person | None = None
    source: str | None = None


@dataclass(frozen=True, slots=True)
class Project:
    """What exports tell of a project."""

    id: int
    name: str
    bug_tracker: str
    created: datetime
    updated: datetime
    owner: Person | None = None
    assignee: Person | None = None


class Frame(NamedTuple):
    """One frame of a task. `number`: task-relative; `source`: its number in what the task was made from; width and
    height in pixels.
    """

    number: int
    source: int
    name: str
    width: int
    height: int


class Drawn(NamedTuple):
    """What was drawn on one frame."""

    number: int
    shapes: list[Item]
    tags: list[Item]


class Picture(NamedTuple):
    """The image of the frame `number`, under the name that its file gets: with a suffix, also for frames of a video."""

    number: int
    name: str
    content: bytes


@dataclass(frozen=True)
class Part:
    """The frames of one task, or of one job of it, with what was drawn on them. Each function reads anew.

    `frames`: in order, without deleted ones. `drawn`: in the order of the frames, of those with shapes or tags, and
    perhaps of others. `pictures`: in the order of the frames.
    """

    task: Task
    frames: Callable[[], Iterator[Frame]]
    drawn: Callable[[], Iterator[Drawn]]
    tracks: Callable[[], list[Item]]
    pictures: Callable[[], Iterator[Picture]]

    @property
    def subset(self) -> str:
        """As it may name a folder."""
        return folder_of(self.task.subset)


@dataclass(frozen=True)
class Dataset:
    """All that is exported. `target`: task, job or project; `parts`: read one after the other."""

    target: str
    target_id: int
    labels: Labels
    parts: Iterable[Part]
    dumped: datetime
    project: Project | None = None
    subsets: tuple[str, ...] = ()
