"""What comes from a source, shaped into rows: here, or, when much is to come, by several processes at once."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future
from typing import NamedTuple, Protocol

import structlog

from consumers.forwarder.batch import Batch, Made
from consumers.forwarder.cutter import Shaped, shape
from consumers.forwarder.intake.workers import WorkerLost, Workers
from consumers.forwarder.rows import Shaper
from consumers.forwarder.sources.delivery import Delivery
from consumers.forwarder.sources.portions import Portion
from consumers.forwarder.sources.source import Source

FAR_BEHIND, NEARLY_THERE = 20_000, 2_000
"""Events. With as many to come the help of other processes is worth its while; until so few are left."""

LOOK_SECONDS = 1.0
"""Between two looks at how many events are to come."""

PATIENCE = 60.0
"""Seconds after which a portion is not waited for any more."""

STAY_SECONDS = 1.0
"""For longer the source is not left alone: Kafka would take this forwarder for one that hangs, and others of its group
would wait for it.
"""

log = structlog.get_logger(__name__)


class Intake(Protocol):
    """Used by the thread that uses the source."""

    def poll(self, seconds: float) -> Iterable[Shaped | Batch]:
        """What comes next, as Source.poll has it: single events, or runs of them that are encoded already. A run never
        comes while the partition's next batch has an end that was announced.
        """

    @property
    def is_far_behind(self) -> bool:
        """Whether so much is to come that it is worth while to wait until batches are full."""


class PlainIntake:
    """Shapes event by event."""

    def __init__(self, source: Source, shaper: Shaper) -> None:
        self._source, self._shaper = source, shaper
        self.is_far_behind = False

    def poll(self, seconds: float) -> Iterator[Shaped]:
        return _shaped(self._source.poll(seconds), self._shaper)


class _InHand(NamedTuple):
    """`made`: None for what is to be done here."""

    portion: Portion
    made: Future[Made] | None
    since: float


class CatchingUpIntake:
    """Does the same, but while much is to come, only takes what the source has, and has `workers` do the rest."""

    def __init__(self, source: Source, shaper: Shaper, workers: Workers) -> None:
        self._source, self._shaper, self._workers = source, shaper, workers
        self._taken: deque[Portion] = deque()
        self._in_hand: deque[_InHand] = deque()
        self._unread, self._looked, self.is_far_behind = 0, 0.0, False
        self._asked = time.monotonic()

    def poll(self, seconds: float) -> Iterator[Shaped | Batch]:
        if self._source.paused:
            self._workers.rest()
            yield from self._polled(seconds)  # nothing, but the source is kept
        elif self._look() and self._workers.ready():
            self._hand_out(seconds)
            if self._in_hand:
                yield from self._next(seconds)
        elif self.is_far_behind and self._workers.starting(seconds):
            self._stay()
        elif self._in_hand:
            yield from self._next(seconds)
        elif self._taken:
            yield from self._here(self._taken.popleft())
        else:
            yield from self._polled(seconds)

    def _look(self) -> bool:
        now = time.monotonic()
        if now >= self._looked + LOOK_SECONDS and (unread := self._source.unread()) is not None:
            self._looked, self._unread = now, unread
            self._workers.rest()
        least = NEARLY_THERE if self.is_far_behind else FAR_BEHIND
        self.is_far_behind = self._unread >= least or bool(self._taken)
        return self.is_far_behind

    def _hand_out(self, seconds: float) -> None:
        """So much that no worker has to wait for the next portion."""
        while len(self._in_hand) <= self._workers.number:
            if not self._taken:
                self._take(0.0 if self._in_hand else seconds)
            if not self._taken:
                return
            portion = self._taken.popleft()
            made = None if portion.bound else self._workers.shape(portion)
            self._in_hand.append(_InHand(portion, made, time.monotonic()))

    def _take(self, seconds: float) -> None:
        self._asked = time.monotonic()
        self._taken += self._source.take(seconds)
        self._unread = max(0, self._unread - sum(portion.until - portion.after for portion in self._taken))

    def _next(self, seconds: float) -> Iterator[Shaped | Batch]:
        """What the first portion has given, if that is there in time."""
        portion, made, since = self._in_hand[0]
        result: Made | None = None
        try:
            result = made.result(seconds) if made else None
        except TimeoutError as error:
            if time.monotonic() < since + PATIENCE:
                return self._stay()
            self._workers.give_up(error)
        except WorkerLost as error:
            self._workers.give_up(error)
        except Exception as error:
            log.warning("a worker could not shape events", error=f"{type(error).__name__}: {error}")
        self._in_hand.popleft()
        if result and self._source.accept(portion, result):
            yield from result.batches
        else:
            yield from self._here(portion)

    def _here(self, portion: Portion) -> Iterator[Shaped]:
        """What can't be done there. Whatever is wrong with an event makes a dead letter of it."""
        return _shaped(self._source.deliveries(portion), self._shaper)

    def _polled(self, seconds: float) -> Iterator[Shaped]:
        self._asked = time.monotonic()
        return _shaped(self._source.poll(seconds), self._shaper)

    def _stay(self) -> None:
        """Keeps the source, of which nothing can be taken just now."""
        if time.monotonic() > self._asked + STAY_SECONDS:
            self._source.pause()
            deque(self._polled(0.0), maxlen=0)
            self._source.resume()


def _shaped(delivered: Iterable[Delivery], shaper: Shaper) -> Iterator[Shaped]:
    return (shape(delivery, shaper) for delivery in delivered)
