"""A Kafka partition for as long as it is one source's: what is known of it, and what Kafka keeps of that."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import NamedTuple

import orjson
from kafka.consumer.fetcher import ConsumerRecord

from consumers.forwarder.sources.source import Delivery, Span, Unreadable
from domain.event import Event
from infra.kafka.messages import decode


@dataclass(frozen=True)
class Note:
    """What stands beside a committed offset. `generation`: when reading began, in nanoseconds; a part of the tokens, so
    that what is sent again after the offsets were set back, or in a topic of the same name, is not taken for what was
    sent before. `position`: the highest before the offset. `until`: the end of the run that was announced last.
    """

    generation: int
    position: int = 0
    until: int | None = None

    def text(self) -> str:
        return orjson.dumps(asdict(self)).decode()


class Committed(NamedTuple):
    """What Kafka keeps of a partition for a group. `note` is empty when a tool has set the offset."""

    offset: int
    note: str


class _Taken(NamedTuple):
    offset: int
    position: int
    time: datetime


@dataclass
class Tenure:
    """`acknowledged`: offset up to where the sink has everything; `read`: where to read on."""

    name: str
    acknowledged: int
    read: int
    note: Note
    committed: Committed | None
    _highest: int = 0
    _taken: deque[_Taken] = field(default_factory=deque)

    @property
    def waiting(self) -> int:
        """How many events were delivered and not acknowledged."""
        return len(self._taken)

    @property
    def oldest(self) -> datetime | None:
        """When the oldest of them was recorded."""
        return self._taken[0].time if self._taken else None

    def token(self, span: Span) -> str:
        return f"annals:{self.note.generation}:{span.partition}:{span.after}-{span.until}"

    def deliver(self, record: ConsumerRecord) -> Delivery | None:
        """None for an event that was delivered before: the relay repeats what it is not sure of."""
        self.read = offset = record.offset + 1
        content = _content(record)
        if isinstance(content, Event):
            if content.position <= self._highest:
                return None
            self._highest = position = content.position
            moment = content.meta.time
        else:
            # What it says of itself may be wrong, so it does not count for what was seen.
            position, moment = _stated_position(record), datetime.fromtimestamp(record.timestamp / 1_000, UTC)
        self._taken.append(_Taken(offset, position if isinstance(content, Event) else 0, moment))
        return Delivery(self.name, offset, position, moment, content)

    def announcing(self, span: Span) -> Note:
        return Note(self.note.generation, self.note.position, span.until)

    def acknowledging(self, span: Span) -> Note:
        position = max((taken.position for taken in self._up_to(span.until)), default=0)
        return Note(self.note.generation, max(position, self.note.position))

    def settle(self, span: Span, note: Note) -> None:
        """The sink has this run, and Kafka knows it."""
        for _ in self._up_to(span.until):
            self._taken.popleft()
        self.acknowledged, self.note = span.until, note

    def _up_to(self, offset: int) -> list[_Taken]:
        return [taken for taken in self._taken if taken.offset <= offset]


def begin(name: str, committed: Committed | None, first_offset: Callable[[], int]) -> Tenure:
    """A tenure that goes on where another one, by whomever, has ended. `first_offset`: of the partition, if nobody had
    it before.
    """
    offset = committed.offset if committed else first_offset()
    note = Note(**orjson.loads(committed.note)) if committed and committed.note else Note(time.time_ns())
    return Tenure(name, offset, offset, note, committed, note.position)


def _content(record: ConsumerRecord) -> Event | Unreadable:
    try:
        return decode(record.value)
    except Exception as error:  # whatever is wrong with it, those behind it are to be read
        return Unreadable(f"{type(error).__name__}: {error}")


def _stated_position(record: ConsumerRecord) -> int:
    """0 when it says nothing that can be one."""
    stated = dict(record.headers).get("position", b"")
    return int(stated) if stated.isdigit() and len(stated) < 19 else 0
