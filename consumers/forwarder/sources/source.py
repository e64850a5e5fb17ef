"""What a source of events is to the forwarder: something to read on from, that remembers how far one has come."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from consumers.forwarder.batch import Made
from consumers.forwarder.sources.delivery import Behind, Delivery, Span
from consumers.forwarder.sources.portions import Portion


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
