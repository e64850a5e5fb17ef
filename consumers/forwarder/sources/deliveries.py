"""What was fetched from the log, as deliveries. The log is one partition, whose offsets are the positions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consumers.forwarder.sources.source import Delivery, Unreadable
from domain.event import Event
from infra.eventlog.decoding import Stored, decode

PARTITION = "log"


def deliveries(fetched: Iterable[Stored]) -> Iterator[Delivery]:
    """Decoded one at a time."""
    for stored in fetched:
        content: Event | Unreadable
        try:
            content = decode(stored)
        except Exception as error:  # whatever is wrong with it, those behind it are to be read
            content = Unreadable(f"{stored.type}: {type(error).__name__}: {error}")
        position = stored.position
        yield Delivery(PARTITION, position, position, stored.time, content)
