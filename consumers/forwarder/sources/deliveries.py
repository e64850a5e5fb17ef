"""What was fetched from the log, as deliveries. The log is one partition, whose offsets are the positions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from consumers.forwarder.sources.delivery import Delivery, Unreadable
from domain.event import Event
from infra.eventlog.decoding import Stored, decode

PARTITION = "log"


def deliveries(fetched: Iterable[Stored]) -> Iterator[Delivery]:
    """Decoded one at a time."""
    for stored in fetched:
        content: Event | Unreadable
        try:
            content = decode(stored, skim=True)
        except Exception as error:  # whatever is wrong with it, those behind it are to be read
            content = Unreadable(f"{stored.type}: {type(error).__name__}: {error}")
        position = stored.position
        yield Delivery(PARTITION, position, position, stored.time, content)


@dataclass(frozen=True)
class LogPortion:
    """At least one event, as they are stored."""

    stored: Sequence[Stored]
    bound: bool = False
    partition = PARTITION

    @property
    def after(self) -> int:
        return self.stored[0].position - 1

    @property
    def until(self) -> int:
        return self.stored[-1].position

    def deliveries(self) -> Iterator[Delivery]:
        return deliveries(self.stored)

    def __reduce__(self) -> tuple[Callable[..., LogPortion], tuple[Any, ...]]:
        """Without the names, which would take twice as long."""
        return _of_rows, (list(map(tuple, self.stored)), self.bound)


def _of_rows(rows: Sequence[tuple[Any, ...]], bound: bool) -> LogPortion:
    return LogPortion(list(map(Stored._make, rows)), bound)
