"""The pipeline: one thread reads and remembers, others send. Of each partition one batch at a time is on its way; what
is read ahead waits in the buffer, and when that is full, the source waits.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass

import structlog

from consumers.forwarder.batch import Batch, Limits
from consumers.forwarder.buffer import Buffer
from consumers.forwarder.cutter import Cutter
from consumers.forwarder.dead_letters import DeadLetter
from consumers.forwarder.intake.intake import Intake
from consumers.forwarder.senders import Senders
from consumers.forwarder.sinks.sink import Sink
from consumers.forwarder.sources.source import Source
from consumers.forwarder.status import Status

STOP_NOTICED = 0.05
"""Seconds within which a stop is noticed when there is nothing to do."""

ANSWER_NOTICED = 0.005
"""Seconds within which it is noticed that a sink has answered, while nothing comes in."""

LOOK_SECONDS = 1.0
"""Between two looks at how far behind the source is, and whether somebody else wants the sink."""

DRAIN = 10.0
"""Seconds that a stop leaves for what can be read already."""

LONGEST_WAIT = 0.5
"""Seconds between two batches of a partition that are not full, of however many partitions, unless more were asked for.
"""

LONGEST_GATHERING = 10.0
"""Seconds more that a batch may wait to be filled while the source has much more to come."""

WORTH_AN_INSERT = 0.5
"""So full is a batch that is sent then because the sink would have nothing to do."""

IN_HAND = 3
"""Full batches that may be gathered and on their way at once, or as many more as are less full."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Flow:
    """How a pipeline works: when a batch is full, what is done with dead letters (they are noted durably before the
    call returns), and whether somebody is waiting to have the sink for himself.
    """

    limits: Limits
    note_dead: Callable[[Sequence[DeadLetter]], object]
    wanted: Callable[[], bool]


@dataclass
class _Sending:
    batch: Batch
    answer: Future[Sequence[DeadLetter]]


class Pipeline:
    """One life of a source and its sinks, from when they are open until a stop or the first failure."""

    def __init__(
        self, source: Source, intake: Intake, sinks: Sequence[Sink], flow: Flow, buffer: Buffer, status: Status
    ) -> None:
        """`intake`: what shapes the source's events. `sinks`: connections to one sink; so many batches are sent at
        once, of different partitions.
        """
        self._source, self._intake = source, intake
        self._flow, self._buffer, self._status = flow, buffer, status
        self._sinks = sinks
        self._most_in_hand = IN_HAND * flow.limits.bytes
        self._cutters: dict[str, Cutter] = {}
        self._sending: dict[str, _Sending] = {}
        self._sent_at: dict[str, float] = {}
        self._paused = False
        self._looked = 0.0

    def run(self, stop: threading.Event) -> None:
        """Until `stop`; then it sends what the source has at once, for at most DRAIN seconds, whether the sink answers
        or not. Or until somebody wants the sink. Raises what a source or a sink fails with: everything acknowledged
        stays so, and the rest can be read again.
        """
        out_of_time = deadline_after(stop, DRAIN)
        senders = Senders(self._sinks)
        try:
            self._work(senders, stop, out_of_time)
        finally:
            senders.end(given_up=out_of_time)

    def _work(self, senders: Senders, stop: threading.Event, out_of_time: Callable[[], bool]) -> None:
        while not self._wanted():
            stopping = stop.is_set()
            read = self._read(stopping)
            self._cut_what_is_due(at_once=stopping)
            self._send(senders)
            self._settle()
            if stopping and not (read or self._paused or self._unfinished):
                return
            if out_of_time():
                log.warning("stopped before everything was sent")
                return
        self._finish(out_of_time)

    def _wanted(self) -> bool:
        now = time.monotonic()
        if now < self._looked + LOOK_SECONDS:
            return False
        self._looked = now
        self._status.behind(self._source.behind())
        return self._flow.wanted()

    def _finish(self, out_of_time: Callable[[], bool]) -> None:
        """With what is on its way; the rest is read again."""
        while self._sending and not out_of_time():
            wait([sending.answer for sending in self._sending.values()], STOP_NOTICED, FIRST_COMPLETED)
            self._settle()

    @property
    def _unfinished(self) -> bool:
        cutting = any(cutter.open and not cutter.bound for cutter in self._cutters.values())
        return bool(self._sending or self._buffer.partitions or cutting)

    def _read(self, stopping: bool) -> int:
        """Returns how many events came."""
        self._hold_back()
        number = unreadable = 0
        for piece in self._intake.poll(0.0 if stopping and not self._sending else self._patience()):
            if isinstance(piece, Batch):
                complete = self._cutter(piece.span.partition).join(piece)
                number += piece.events
                unreadable += len(piece.dead)
            else:
                complete = self._cutter(piece.delivery.partition).add(piece)
                number += 1
                unreadable += piece.dead is not None
            for batch in complete:
                self._buffer.put(batch)
        for partition in self._source.revoked():
            self._forget(partition)
        if number:
            self._status.read(number, unreadable)
            self._status.buffered(self._buffer)
        return number

    def _cutter(self, partition: str) -> Cutter:
        return self._cutters.get(partition) or self._begin(partition)

    def _begin(self, partition: str) -> Cutter:
        start, announced = self._source.start(partition), self._source.announced(partition)
        if self._intake.is_far_behind:  # the first batch is to be full, too
            self._sent_at.setdefault(partition, time.monotonic())
        cutter = self._cutters[partition] = Cutter(partition, start, self._flow.limits, announced)
        return cutter

    def _forget(self, partition: str) -> None:
        """What was read of it is somebody else's now. A batch that is on its way may arrive: it has a token."""
        self._cutters.pop(partition, None)
        self._sending.pop(partition, None)
        self._buffer.drop(partition)

    @property
    def _in_hand(self) -> int:
        """Bytes that are gathered or on their way, however many partitions there are. What has to be gathered further
        before it can be sent does not count.
        """
        return self._gathered + sum(sending.batch.memory for sending in self._sending.values())

    @property
    def _gathered(self) -> int:
        return sum(cutter.memory for cutter in self._cutters.values() if not cutter.bound)

    def _hold_back(self) -> None:
        if self._buffer.full or self._in_hand >= self._most_in_hand:
            if not self._paused:
                self._source.pause()
                self._paused = True
            wait([sending.answer for sending in self._sending.values()], STOP_NOTICED, FIRST_COMPLETED)
        elif self._paused:
            self._source.resume()
            self._paused = False

    def _patience(self) -> float:
        """For how many seconds a poll may wait."""
        if self._paused:
            return 0.0
        if self._sending:
            return ANSWER_NOTICED
        due = [self._due(name) for name, cutter in self._cutters.items() if cutter.open and not cutter.bound]
        return max(0.0, min([STOP_NOTICED, *(moment - time.monotonic() for moment in due)]))

    def _due(self, partition: str) -> float:
        """When what is gathered is sent even if it does not fill a batch. Of many partitions each waits longer: what an
        insert costs beside its rows would be paid too often. Far behind, it is paid for as many rows as possible.
        """
        seconds = self._flow.limits.seconds
        together = max(seconds, min(seconds * self._active, LONGEST_WAIT))
        more = LONGEST_GATHERING if self._intake.is_far_behind else 0.0
        return self._sent_at.get(partition, 0.0) + together + more

    @property
    def _active(self) -> int:
        """How many partitions have had something to send lately."""
        lately = time.monotonic() - LONGEST_WAIT
        return sum(cutter.open or self._sent_at.get(name, 0.0) > lately for name, cutter in self._cutters.items())

    def _cut_what_is_due(self, *, at_once: bool) -> None:
        busy, now = {*self._sending, *self._buffer.partitions}, time.monotonic()
        ready = {
            name: cutter
            for name, cutter in self._cutters.items()
            if cutter.open and not cutter.bound and name not in busy
        }
        due = [name for name in ready if at_once or self._due(name) <= now]
        for name in due or self._fullest(ready, idle=not busy):
            self._buffer.put(ready[name].cut())

    def _fullest(self, ready: Mapping[str, Cutter], *, idle: bool) -> list[str]:
        """The batch that is sent before it is due, if one is: because the sink has nothing to do, though much is to
        come, or because no more can be gathered.
        """
        name = max(ready, key=lambda name: ready[name].fullness, default=None)
        if name is None:
            return []
        enough = idle and self._intake.is_far_behind and ready[name].fullness >= WORTH_AN_INSERT
        return [name] if enough or self._gathered > self._most_in_hand / 2 else []

    def _send(self, senders: Senders) -> None:
        for partition in self._buffer.partitions:
            if partition not in self._sending:
                batch = self._buffer.take(partition)
                token = self._source.announce(batch.span)
                self._sent_at[partition] = time.monotonic()
                self._status.sent(batch.events)
                self._sending[partition] = _Sending(batch, senders.send(batch, token))

    def _settle(self) -> None:
        """Acknowledges what has arrived. Raises the failure of a batch that has not."""
        for partition, sending in list(self._sending.items()):
            if not sending.answer.done():
                continue
            del self._sending[partition]
            refused = sending.answer.result()
            if dead := [*sending.batch.dead, *refused]:
                log.error("events became dead letters", number=len(dead), first=dead[0].place, error=dead[0].error)
                self._flow.note_dead(dead)
            self._source.acknowledge(sending.batch.span)
            self._status.acknowledged(sending.batch, len(refused))
            self._status.buffered(self._buffer)


def deadline_after(stop: threading.Event, seconds: float) -> Callable[[], bool]:
    """Tells, when asked, whether `seconds` have passed since it was first asked after `stop`."""
    deadline: float | None = None

    def passed() -> bool:
        nonlocal deadline
        if deadline is None and stop.is_set():
            deadline = time.monotonic() + seconds
        return deadline is not None and time.monotonic() > deadline

    return passed
