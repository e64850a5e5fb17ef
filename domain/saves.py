"""What the log can tell of annotations without unpacking them: who saved when, and where in the log."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol


@dataclass(frozen=True, slots=True)
class Moment:
    """Which annotations are meant: those of a `version` (of a job's annotations it is their own version; of a task's,
    the position of a save in the log), or those at a time. With neither: the present ones.
    """

    version: int | None = None
    as_of: datetime | None = None


NOW = Moment()


class Reached(NamedTuple):
    """A place between two events. `whole`: it is not in the middle of a save."""

    position: int
    whole: bool


class Span(NamedTuple):
    """The events of one job's annotations that make up what stood: those after version `after`, up to `version`. What
    came before was replaced or cleared as a whole.
    """

    after: int
    version: int


@dataclass(frozen=True)
class Save:
    """What one request recorded: the events from position `first` to `last`, in some jobs. `version`: the last of the
    job's annotations, where only one job is looked at.
    """

    first: int
    last: int
    version: int
    job_ids: tuple[int, ...]
    types: tuple[str, ...]
    time: datetime
    actor_id: int | None
    actor: str | None
    source: str
    user_agent: str | None
    correlation_id: str | None


class Saves(Protocol):
    """Questions about `streams` of annotations (`annotations-<job id>`). Positions are of the whole log."""

    def at_version(self, stream: str, version: int) -> Reached | None:
        """Behind this version of one stream; None when there is no such version yet."""
        ...

    def at_position(self, streams: Sequence[str], position: int) -> Reached | None:
        """Behind the event at this position; None when it is none of the streams'."""
        ...

    def at_time(self, streams: Sequence[str], time: datetime | None) -> int:
        """The position of the last event that is not later; of the last one at all without a time. 0: there is none."""
        ...

    def spans(self, streams: Sequence[str], position: int) -> dict[str, Span]:
        """By stream, of those that had begun at the position."""
        ...

    def page(self, streams: Sequence[str], limit: int | None, offset: int) -> tuple[int, list[Save]]:
        """How many saves there are, and some of them, the last first."""
        ...

    def labels_moved(self, stream: str, position: int) -> list[int]:
        """The versions of the events up to a position by which labels of a task or project were deleted or restored."""
        ...
