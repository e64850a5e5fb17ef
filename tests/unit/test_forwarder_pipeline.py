"""The pipeline with many partitions: what it has in hand is bounded, and it does not send all too often."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import wait
from datetime import UTC, datetime
from itertools import islice
from types import SimpleNamespace

import pytest

from consumers.forwarder import pipeline as pipelines
from consumers.forwarder.batch import OVERHEAD, PAYLOAD, Batch, Limits
from consumers.forwarder.buffer import Buffer, Room
from consumers.forwarder.dead_letters import DeadLetter
from consumers.forwarder.intake.intake import Intake, PlainIntake
from consumers.forwarder.pipeline import IN_HAND, LONGEST_WAIT, Flow, Pipeline
from consumers.forwarder.rows import table_rows
from consumers.forwarder.sources.delivery import Behind, Delivery, Span
from consumers.forwarder.status import Status
from domain.event import Event, Metadata
from domain.events.job import JobStateChanged

from ..waiting import wait_until

BODY = JobStateChanged(11, 7, None, "validation", "completed", "annotation", "new")
EVENT = Event(BODY.stream, 1, BODY, Metadata(datetime(2026, 3, 31, tzinfo=UTC), "api"), 1)
BYTES = sum(OVERHEAD + len(row[PAYLOAD]) for row in table_rows(EVENT))
LIMITS = Limits(rows=10_000, bytes=20 * BYTES, seconds=0.01)
EVENTS, POLLED, SECONDS = 2_000, 10, 60.0
POLLS = 300


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
        deliveries = [] if self._paused else list(islice(self._rest, POLLED))
        if not deliveries:
            time.sleep(min(seconds, 0.05))
        for delivery in deliveries:
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
        self.asked = False

    def insert(self, batch: Batch, token: str) -> Sequence[DeadLetter]:
        self.asked = True
        assert self.let.wait(SECONDS)
        return ()

    def close(self) -> None:
        """Nothing is open."""


class FailingSink(SlowSink):
    """Fails when another one has been asked."""

    def __init__(self, other: SlowSink) -> None:
        super().__init__()
        self._other = other

    def insert(self, batch: Batch, token: str) -> Sequence[DeadLetter]:
        wait_until(lambda: self._other.asked)
        raise OSError("no room")


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
        # What is in hand, and one batch that waits; all of it may go beyond by one poll.
        assert 0 < settled(source) * BYTES <= (IN_HAND + 1) * LIMITS.bytes + POLLED * BYTES + LIMITS.bytes
    finally:
        sink.let.set()
    wait_until(lambda: sum(source.acknowledged.values()) == EVENTS)
    stop.set()
    worker.join(SECONDS)
    assert not worker.is_alive()


def settled(source: Backlog) -> int:
    """How many were read when no more are."""
    read = 0

    def stands_still() -> bool:
        nonlocal read
        before, read = read, source.read
        time.sleep(0.3)
        return 0 < read == before

    wait_until(stands_still)
    return read


@pytest.mark.parametrize("life", ["stopped", "wanted", "failed"])
def test_no_stop_waits_longer_than_that_for_a_sink_that_does_not_answer(
    life: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipelines, "DRAIN", 0.1)
    monkeypatch.setattr(pipelines, "LOOK_SECONDS", 0.0)
    source, sink, stop, wanted = Backlog(2, None), SlowSink(), threading.Event(), threading.Event()
    flow = Flow(LIMITS, lambda _: None, wanted.is_set)
    intake, buffer = PlainIntake(source, table_rows), Buffer(Room(memory=LIMITS.bytes))
    sinks = [sink, FailingSink(sink) if life == "failed" else sink]
    pipeline = Pipeline(source, intake, sinks, flow, buffer, Status("silent"))
    worker = threading.Thread(target=lambda: outcome.append(outcome_of(lambda: pipeline.run(stop))))
    outcome: list[str] = []
    worker.start()
    try:
        wait_until(lambda: sink.asked)
        if life == "wanted":
            wanted.set()
        settled(source)
        assert worker.is_alive()
        stop.set()
        worker.join(SECONDS)
        assert not worker.is_alive()
        assert outcome == ["no room" if life == "failed" else "done"]
    finally:
        sink.let.set()


def outcome_of(work: Callable[[], object]) -> str:
    try:
        work()
    except OSError as error:
        return str(error)
    return "done"


class Trickle(Backlog):
    """An event of each partition whenever it is asked, which is every hundredth of a second of a time of its own, until
    `stop` after so many. `busy`: so many partitions have more than a single event.
    """

    pipeline: Pipeline

    def __init__(self, partitions: int, stop: threading.Event, busy: int | None = None) -> None:
        super().__init__(partitions, None)
        self._busy = partitions if busy is None else busy
        self.now = 1_000.0
        self._partitions, self._stop = partitions, stop
        self.batches: Counter[str] = Counter()

    def poll(self, seconds: float) -> Iterator[Delivery]:
        # In its own time a sink answers at once.
        assert not wait([sending.answer for sending in self.pipeline._sending.values()], SECONDS).not_done
        if self.read == POLLS:
            self._stop.set()
            return
        self.now += 0.01
        self.read += 1
        for number in range(self._busy if self.read > 1 else self._partitions):
            yield Delivery(f"p/{number}", self.read, self.read, EVENT.meta.time, EVENT)

    def announce(self, span: Span) -> str:
        self.batches[span.partition] += 1
        return super().announce(span)


class QuickSink(SlowSink):
    def insert(self, batch: Batch, token: str) -> Sequence[DeadLetter]:
        return ()


def run(source: Trickle, intake: Intake, stop: threading.Event, asked: float = 0.1) -> None:
    """With batches that are never full."""
    flow = Flow(Limits(rows=1_000_000, bytes=1_000_000_000, seconds=asked), lambda _: None, lambda: False)
    source.pipeline = Pipeline(source, intake, [QuickSink()], flow, Buffer(Room()), Status("quick"))
    source.pipeline.run(stop)


@pytest.mark.parametrize(
    ("partitions", "asked", "seconds"),
    [(1, 0.1, 0.1), (3, 0.1, 0.3), (100, 0.1, LONGEST_WAIT), (100, 1.0, 1.0)],
)
def test_of_many_partitions_each_is_sent_less_often(
    partitions: int, asked: float, seconds: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    stop = threading.Event()
    source = Trickle(partitions, stop)
    monkeypatch.setattr(pipelines, "time", SimpleNamespace(monotonic=lambda: source.now))
    run(source, PlainIntake(source, table_rows), stop, asked)
    expected = POLLS * 0.01 / seconds
    for number in range(partitions):
        # One more at the beginning, and one at the end; each may be late by two polls.
        assert expected * 0.8 <= source.batches[f"p/{number}"] <= expected + 2
    assert set(source.acknowledged.values()) == {POLLS}


def test_partitions_that_have_nothing_keep_the_others_waiting_no_longer(monkeypatch: pytest.MonkeyPatch) -> None:
    stop = threading.Event()
    source = Trickle(100, stop, busy=2)
    monkeypatch.setattr(pipelines, "time", SimpleNamespace(monotonic=lambda: source.now))
    run(source, PlainIntake(source, table_rows), stop)
    assert min(source.batches[name] for name in ("p/0", "p/1")) >= POLLS * 0.01 / 0.2 * 0.8
    assert source.batches["p/99"] == 1
    assert len(source.acknowledged) == 100
