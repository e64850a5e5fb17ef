"""Cutting what a partition delivers into batches. What is cut again from the same run is the same batch."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from typing import NamedTuple

from consumers.forwarder.batch import OVERHEAD, TIMESTAMP, Batch, Limits, Month, payload_of
from consumers.forwarder.dead_letters import DeadLetter
from consumers.forwarder.rows import EPOCH, Shaper, TableRow
from consumers.forwarder.sources.delivery import Delivery, Span, Unreadable

DAY_MILLISECONDS = 24 * 60 * 60 * 1000


class Shaped(NamedTuple):
    """A delivery's rows, or why it has none."""

    delivery: Delivery
    rows: list[TableRow]
    dead: DeadLetter | None = None


def shape(delivery: Delivery, shaper: Shaper) -> Shaped:
    """An event that can't be read or for which the transform fails holds up nobody: it becomes a dead letter."""
    content = delivery.content
    if isinstance(content, Unreadable):
        return Shaped(delivery, [], DeadLetter.of(delivery, "read", content.error))
    try:
        return Shaped(delivery, shaper(content))
    except Exception as error:
        return Shaped(delivery, [], DeadLetter.of(delivery, "transform", f"{type(error).__name__}: {error}"))


class Cutter:
    """Cuts what a partition delivers into batches. `after`: the offset behind which it begins; `announced`: where the
    first batch has to end, whatever the limits say, because it was cut there before.
    """

    def __init__(self, partition: str, after: int, limits: Limits, announced: int | None = None) -> None:
        self._partition, self._after, self._limits, self._announced = partition, after, limits, announced
        self._until = after
        self._batch: Batch | None = None

    @property
    def open(self) -> bool:
        """Whether there is something that no batch has been made of."""
        return self._batch is not None

    @property
    def memory(self) -> int:
        """Bytes that this takes."""
        return 0 if self._batch is None else self._batch.memory

    @property
    def fullness(self) -> float:
        """1: what is gathered is a whole batch."""
        batch, limits = self._batch, self._limits
        if batch is None:
            return 0.0
        return max(batch.row_count / limits.rows, batch.size / limits.bytes, batch.events / limits.events)

    def add(self, shaped: Shaped) -> list[Batch]:
        """Returns the batches that this completes."""
        complete = []
        if self._batch is not None and not self._takes(self._batch, shaped):
            complete.append(self.cut())
        self._put(shaped)
        if self._announced is not None and shaped.delivery.offset >= self._announced:
            if shaped.delivery.offset == self._announced:
                complete.append(self.cut())
            self._announced = None
        return complete

    def join(self, run: Batch) -> list[Batch]:
        """The same for a run that was cut already, and lies behind what was announced."""
        complete = [] if self._batch is None or self._joins(self._batch, run) else [self.cut()]
        self._announced = None
        if self._batch is None:
            self._batch = run
        else:
            self._batch.extend(run)
        self._until = run.span.until
        return complete

    def cut(self) -> Batch:
        """What is gathered, however little; there must be something."""
        assert self._batch is not None
        batch, self._batch = self._batch, None
        batch.span = Span(self._partition, self._after, self._until)
        self._after = self._until
        return batch

    @property
    def bound(self) -> bool:
        """Whether the next batch has an end that is not to be chosen."""
        return self._announced is not None

    def _takes(self, batch: Batch, shaped: Shaped) -> bool:
        if self._announced is not None:
            return shaped.delivery.offset <= self._announced
        if batch.encoded or self._is_full(batch):
            return False
        return batch.month is None or not shaped.rows or batch.month == _month(shaped.rows)

    def _joins(self, batch: Batch, run: Batch) -> bool:
        if self._announced is not None or batch.rows or self._is_full(batch):
            return False
        return batch.month is None or run.month is None or batch.month == run.month

    def _is_full(self, batch: Batch) -> bool:
        limits = self._limits
        return batch.row_count >= limits.rows or batch.size >= limits.bytes or batch.events >= limits.events

    def _put(self, shaped: Shaped) -> None:
        delivery, rows, dead = shaped
        batch, self._until = self._batch, delivery.offset
        if batch is None:
            batch = self._batch = Batch(Span(self._partition, self._after, self._until), delivery.time)
        if rows and batch.month is None:
            batch.month = _month(rows)
        batch.rows += rows
        batch.bytes += OVERHEAD * len(rows) + sum(map(len, map(payload_of, rows)))
        batch.events += 1
        if delivery.position > batch.position:
            batch.position = delivery.position
        if dead is not None:
            batch.bury(dead)


def _month(rows: list[TableRow]) -> Month:
    """Of an event, by its rows: what a client reports in a new month may have happened in the old one."""
    return _month_of(rows[0][TIMESTAMP] // DAY_MILLISECONDS)


@lru_cache(maxsize=64)
def _month_of(day: int) -> Month:
    """`day`: since 1970."""
    time = EPOCH + timedelta(day)
    return time.year, time.month
