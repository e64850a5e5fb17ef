"""What comes from a source, and where it lay there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

from domain.event import Event


@dataclass(frozen=True)
class Unreadable:
    """In place of an event that could not be decoded: why, in words. `stated`: the position that it says it has, which
    may be wrong; for who has nothing better. 0 when it says none.
    """

    error: str
    stated: int = 0


class Delivery(NamedTuple):
    """One event, and where it lies.

    `offset`: whoever acknowledges it has everything of the partition up to and including this event. Of the log, it is
    the event's position; of Kafka, the offset of the next message. `position`: 0 when that is not known for sure.
    `time`: when the event was recorded.
    """

    partition: str
    offset: int
    position: int
    time: datetime
    content: Event | Unreadable


class Span(NamedTuple):
    """A run of a partition: `after` < offset <= `until`."""

    partition: str
    after: int
    until: int


@dataclass(frozen=True)
class Behind:
    """What was not acknowledged yet: how many events, and for how many seconds the oldest has been waiting."""

    events: int
    seconds: float
