"""What comes from a source, shaped into rows: here, or, when the log is far ahead, by several processes at once."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from typing import NamedTuple, Protocol

import structlog

from consumers.forwarder.batch import Batch
from consumers.forwarder.cutter import Shaped, shape
from consumers.forwarder.intake.workers import WorkerLost, Workers, portions
from consumers.forwarder.rows import Shaper
from consumers.forwarder.sources.deliveries import PARTITION, deliveries
from consumers.forwarder.sources.log import LogSource
from consumers.forwarder.sources.source import Delivery, Source
from infra.eventlog.decoding import Stored

FAR_BEHIND, NEARLY_THERE = 20_000, 2_000
"""Events. With as many to come the help of other processes is worth its while; until so few are left."""

LOOK_SECONDS = 1.0
"""Between two looks at how many events are to come."""

PATIENCE = 60.0
"""Seconds after which a portion is not waited for any more."""

log = structlog.get_logger(__name__)


class Intake(Protocol):
    """Used by the thread that uses the source."""

    def poll(self, seconds: float) -> Iterable[Shaped | Batch]:
        """What comes next, as Source.poll has it: single events, or runs of them that are encoded already. A run never
        comes while the partition's next batch has an end that was announced.
        """


class PlainIntake:
    """Shapes event by event."""

    def __init__(self, source: Source, shaper: Shaper) -> None:
        self._source, self._shaper = source, shaper

    def poll(self, seconds: float) -> Iterator[Shaped]:
        return _shaped(self._source.poll(seconds), self._shaper)


class _Portion(NamedTuple):
    stored: Sequence[Stored]
    shaped: Future[list[Batch]]
    handed_out: float


class CatchingUpIntake:
    """Does the same, but while much is to come, only fetches, and has `workers` do the rest."""

    def __init__(self, source: LogSource, shaper: Shaper, workers: Workers) -> None:
        self._source, self._shaper, self._workers = source, shaper, workers
        self._bound = source.announced(PARTITION) or 0
        self._fetched: deque[Sequence[Stored]] = deque()
        self._portions: deque[_Portion] = deque()
        self._unread, self._looked, self._is_behind = 0, 0.0, False

    def poll(self, seconds: float) -> Iterator[Shaped | Batch]:
        if self._source.paused:
            return
        if self._is_far_behind():
            if self._workers.ready():
                self._hand_out()
            elif self._workers.starting(seconds):
                return
        if self._portions:
            yield from self._next(seconds)
        elif self._fetched:
            yield from _shaped(deliveries(self._fetched.popleft()), self._shaper)
        else:
            yield from _shaped(self._source.poll(seconds), self._shaper)

    def _is_far_behind(self) -> bool:
        now = time.monotonic()
        if now >= self._looked + LOOK_SECONDS:
            self._looked, self._unread = now, self._source.unread()
            self._workers.rest()
        self._is_behind = self._unread >= (NEARLY_THERE if self._is_behind else FAR_BEHIND)
        return (self._is_behind or bool(self._fetched)) and self._source.position >= self._bound

    def _hand_out(self) -> None:
        """So much that no worker has to wait for the next portion."""
        while len(self._portions) <= self._workers.number:
            if not self._fetched:
                fetched = self._source.take(0.0)
                self._unread = max(0, self._unread - len(fetched)) if fetched else 0
                self._fetched += portions(fetched)
            if not self._fetched:
                return
            stored = self._fetched.popleft()
            self._portions.append(_Portion(stored, self._workers.shape(stored), time.monotonic()))

    def _next(self, seconds: float) -> Iterator[Shaped | Batch]:
        """What the first portion has given, if that is there in time."""
        portion = self._portions[0]
        try:
            shaped: Iterable[Shaped | Batch] = portion.shaped.result(seconds)
        except TimeoutError as error:
            if time.monotonic() < portion.handed_out + PATIENCE:
                return
            shaped = self._without(portion, error)
        except Exception as error:
            shaped = self._without(portion, error)
        self._portions.popleft()
        yield from shaped

    def _without(self, portion: _Portion, error: Exception) -> Iterator[Shaped]:
        """What can't be done there, is done here, where whatever is wrong with an event makes a dead letter of it."""
        if isinstance(error, TimeoutError | WorkerLost):
            self._workers.give_up(error)
        else:
            log.warning("a worker could not shape events", error=f"{type(error).__name__}: {error}")
        return _shaped(deliveries(portion.stored), self._shaper)


def _shaped(delivered: Iterable[Delivery], shaper: Shaper) -> Iterator[Shaped]:
    return (shape(delivery, shaper) for delivery in delivered)
