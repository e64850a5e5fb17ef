"""What a source of events is to the forwarder: something to read on from, that remembers how far one has come."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple, Protocol

from domain.event import Event

if TYPE_CHECKING:
    from consumers.forwarder.batch import Made
    from consumers.forwarder.sources.portions import Portion


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


class Source(Protocol):
    """Used by one thread. Every method raises Unavailable when the source can't be reached."""

    def poll(self, seconds: float) -> Iterable[Delivery]:
        """The next events, in order within each partition. Waits at most so long for some. Is read to its end before
        the next call; may decode as it is read, so that huge events are in memory one at a time.
        """

    def take(self, seconds: float) -> Sequence[Portion]:
        """The same, but not decoded, in place of a poll. Each has to be given to `deliveries`, or `accept`, in the
        order in which they were taken, before the next poll.
        """

    def deliveries(self, portion: Portion) -> Iterable[Delivery]:
        """What a poll would have given; nothing if the partition was taken away since."""

    def accept(self, portion: Portion, made: Made) -> bool:
        """Whether this, which another process made of it, comes to the same: then it is delivered with that."""

    def unread(self) -> int | None:
        """Roughly how many events were not taken yet. None before there is a partition to take any of."""

    @property
    def paused(self) -> bool: ...

    def pause(self) -> None:
        """From now on `poll` returns nothing, but keeps up the source's connection."""

    def resume(self) -> None: ...

    def revoked(self) -> frozenset[str]:
        """Partitions that were taken away since this was last asked: what was read of them is somebody else's now."""

    def start(self, partition: str) -> int:
        """The acknowledged offset from which this partition is being read."""

    def announced(self, partition: str) -> int | None:
        """The end of a run that was announced but never acknowledged, by whoever had the partition before: it has to
        be sent again exactly as it was cut.
        """

    def announce(self, span: Span) -> str:
        """Note durably that this run is about to be sent. Returns the token to send it under, the same for the same
        run.
        """

    def acknowledge(self, span: Span) -> None:
        """Note durably that the sink has this run."""

    def behind(self) -> Behind: ...

    def close(self) -> None: ...
