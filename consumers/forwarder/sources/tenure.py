"""A Kafka partition for as long as it is one source's: what is known of it, and what Kafka keeps of that."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from itertools import count, takewhile
from typing import NamedTuple

import orjson

from consumers.forwarder.batch import Made
from consumers.forwarder.sources.delivery import Delivery, Span
from consumers.forwarder.sources.messages import KafkaPortion
from consumers.forwarder.sources.portions import portioned
from infra.kafka.records import RecordBatch


@dataclass(frozen=True)
class Note:
    """What stands beside a committed offset. `generation`: when reading began, in nanoseconds; a part of the tokens, so
    that what is sent again after the offsets were set back, or in a topic of the same name, is not taken for what was
    sent before. `position`: the highest before the offset. `until`: the end of the run that was announced last.
    `topic`: the identity of the topic that the offset is of, if it is known; `timeline`: the number of that of the log.
    """

    generation: int
    position: int = 0
    until: int | None = None
    topic: str = ""
    timeline: int = 0

    @classmethod
    def read(cls, text: str) -> Note:
        return cls(**orjson.loads(text))

    def text(self) -> str:
        return orjson.dumps(asdict(self)).decode()


class Committed(NamedTuple):
    """What Kafka keeps of a partition for a group. `note` is empty when a tool has set the offset."""

    offset: int
    note: str

    def is_of(self, topic: str, timeline: int = 0) -> bool:
        """Whether it is a place in the topic of this identity, as far as both are known: not in one of the same name
        that was deleted since; and of no timeline before this one.
        """
        if not self.note:
            return True
        noted = Note.read(self.note)
        return noted.timeline >= timeline and (not (noted.topic and topic) or noted.topic == topic)


class _Delivered(NamedTuple):
    """A run that ends at `offset`. `position`: the highest in it; `time`: when the first event was recorded."""

    offset: int
    position: int
    time: datetime
    events: int


@dataclass
class Tenure:
    """Offsets: `acknowledged`: up to where the sink has everything; `delivered`: up to where the pipeline has; `read`:
    where to read on. `number`: no two of a process have the same.
    """

    name: str
    acknowledged: int
    read: int
    note: Note
    committed: Committed
    delivered: int
    _highest: int = 0
    number: int = field(default_factory=count().__next__)
    _waiting: deque[_Delivered] = field(default_factory=deque)

    @property
    def waiting(self) -> int:
        """How many events were taken and not acknowledged."""
        return self.read - self.delivered + sum(run.events for run in self._waiting)

    @property
    def oldest(self) -> datetime | None:
        """When the oldest was recorded that was delivered and not acknowledged."""
        return self._waiting[0].time if self._waiting else None

    def token(self, span: Span) -> str:
        return f"annals:{self.note.generation}:{span.partition}:{span.after}-{span.until}"

    def take(self, batches: Sequence[RecordBatch], head: int) -> Iterator[KafkaPortion]:
        """`head`: the end of the log."""
        for run in portioned(batches, _weight):
            after, self.read = self.read, run[-1].last + 1
            bound = after < (self.note.until or 0)
            data = [batch.data for batch in run]
            yield KafkaPortion(self.number, self.name, after, self.read, self._highest, head, bound, data)

    def deliveries(self, portion: KafkaPortion) -> Iterator[Delivery]:
        for delivery in replace(portion, highest=self._highest).deliveries():
            self._note(_Delivered(delivery.offset, delivery.position, delivery.time, 1))
            yield delivery
        self.delivered = portion.until

    def accept(self, portion: KafkaPortion, made: Made) -> bool:
        """Not when the other process, which did not know of the portions before, took something that was repeated."""
        if 0 < made.first <= self._highest:
            return False
        for batch in made.batches:
            self._note(_Delivered(batch.span.until, batch.position, batch.first_time, batch.events))
        self.delivered = portion.until
        return True

    def announcing(self, span: Span) -> Note:
        return replace(self.note, until=span.until)

    def acknowledging(self, span: Span) -> Note:
        position = max((run.position for run in self._up_to(span.until)), default=0)
        return replace(self.note, position=max(position, self.note.position), until=None)

    def settle(self, span: Span, note: Note) -> None:
        """The sink has this run, and Kafka knows it."""
        for _ in self._up_to(span.until):
            self._waiting.popleft()
        self.acknowledged, self.note = span.until, note

    def _note(self, run: _Delivered) -> None:
        self._waiting.append(run)
        self._highest = max(self._highest, run.position)

    def _up_to(self, offset: int) -> list[_Delivered]:
        return list(takewhile(lambda run: run.offset <= offset, self._waiting))


def begin(name: str, committed: Committed, topic: str) -> Tenure:
    """A tenure that goes on where another one, by whomever, has ended. `topic`: its topic's identity."""
    offset = committed.offset
    note = Note.read(committed.note) if committed.note else Note(time.time_ns())
    return Tenure(name, offset, offset, replace(note, topic=topic or note.topic), committed, offset, note.position)


def _weight(batch: RecordBatch) -> tuple[int, int]:
    return batch.number, batch.unpacked_size
