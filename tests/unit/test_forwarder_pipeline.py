"""The pipeline holds back its source: what it has in hand is bounded, however many partitions there are."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice

import pytest

from consumers.forwarder.batch import OVERHEAD, PAYLOAD, Batch, Limits
from consumers.forwarder.buffer import Buffer, Room
from consumers.forwarder.dead_letters import DeadLetter
from consumers.forwarder.intake.intake import PlainIntake
from consumers.forwarder.pipeline import Flow, Pipeline
from consumers.forwarder.rows import table_rows
from consumers.forwarder.sources.source import Behind, Delivery, Span
from consumers.forwarder.status import Status
from domain.event import Event, Metadata
from domain.events.job import JobStateChanged

BODY = JobStateChanged(11, 7, None, "validation", "completed", "annotation", "new")
EVENT = Event(BODY.stream, 1, BODY, Metadata(datetime(2026, 3, 31, tzinfo=UTC), "api"), 1)
BYTES = sum(OVERHEAD + len(row[PAYLOAD]) for row in table_rows(EVENT))
LIMITS = Limits(rows=10_000, bytes=20 * BYTES, seconds=0.01)
EVENTS, POLLED, SECONDS = 2_000, 10, 20.0


class Backlog:
    """So many events, dealt out to partitions in turn. `bound`: a run that was announced of the first of them."""

    def __init__(self, partitions: int, bound: int | None) -> None:
        self._rest = self._deal(partitions)
        self._bound, self._paused, self.read = bound, False, 0
        self.acknowledged: Counter[str] = Counter()

    @staticmethod
    def _deal(partitions: int) -> Iterator[Delivery]:
        for number in range(EVENTS):
            yield Delivery(f"p/{number % partitions}", number // partitions + 1, number + 1, EVENT.meta.time, EVENT)

    def poll(self, seconds: float) -> Iterator[Delivery]:
        for delivery in () if self._paused else islice(self._rest, POLLED):
            self.read += 1
            yield delivery

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        self._paused = False

    def revoked(self) -> frozenset[str]:
        return frozenset()

    def start(self, partition: str) -> int:
        return self.acknowledged[partition]

    def announced(self, partition: str) -> int | None:
        return self._bound if partition == "p/0" else None

    def announce(self, span: Span) -> str:
        return f"{span}"

    def acknowledge(self, span: Span) -> None:
        assert span.after == self.acknowledged[span.partition]
        self.acknowledged[span.partition] = span.until

    def behind(self) -> Behind:
        return Behind(0, 0.0)

    def close(self) -> None:
        """Nothing is open."""


class SlowSink:
    """Takes nothing until it is let."""

    def __init__(self) -> None:
        self.let = threading.Event()

    def insert(self, batch: Batch, token: str) -> Sequence[DeadLetter]:
        assert self.let.wait(SECONDS)
        return ()

    def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize("bound", [None, EVENTS // 100])
@pytest.mark.parametrize("partitions", [1, 100])
def test_a_slow_sink_holds_back_the_source_however_many_partitions_it_has(partitions: int, bound: int | None) -> None:
    source, sink, stop = Backlog(partitions, bound), SlowSink(), threading.Event()
    flow = Flow(LIMITS, lambda _: None, lambda: False)
    intake, buffer = PlainIntake(source, table_rows), Buffer(Room(memory=LIMITS.bytes))
    pipeline = Pipeline(source, intake, [sink, sink], flow, buffer, Status("slow"))
    worker = threading.Thread(target=pipeline.run, args=(stop,))
    worker.start()
    try:
        # Two senders' batches, two to spare and one that waits; all of it may go beyond by one poll.
        assert 0 < settled(source) * BYTES <= 5 * LIMITS.bytes + POLLED * BYTES + LIMITS.bytes
    finally:
        sink.let.set()
    deadline = time.monotonic() + SECONDS
    while sum(source.acknowledged.values()) < EVENTS and time.monotonic() < deadline:
        time.sleep(0.01)
    stop.set()
    worker.join(SECONDS)
    assert sum(source.acknowledged.values()) == EVENTS


def settled(source: Backlog) -> int:
    """How many were read when no more are."""
    deadline = time.monotonic() + SECONDS
    read = -1
    while read != source.read:
        assert time.monotonic() < deadline
        read = source.read
        time.sleep(0.3)
    return read
