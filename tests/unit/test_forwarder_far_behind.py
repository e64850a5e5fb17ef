"""Far behind its source, the pipeline sends batches that are worth an insert, of every partition."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from types import SimpleNamespace

import pytest

from consumers.forwarder import pipeline as pipelines
from consumers.forwarder.batch import Batch, Limits
from consumers.forwarder.buffer import Buffer, Room
from consumers.forwarder.cutter import Shaped
from consumers.forwarder.dead_letters import DeadLetter
from consumers.forwarder.intake.intake import PlainIntake
from consumers.forwarder.pipeline import LONGEST_WAIT, WORTH_AN_INSERT, Flow, Pipeline
from consumers.forwarder.rows import table_rows
from consumers.forwarder.status import Status

from ..waiting import wait_until
from .test_forwarder_pipeline import EVENT, EVENTS, POLLED, POLLS, SECONDS, Backlog, SlowSink, Trickle, run

FULL = 50
HALF = FULL * WORTH_AN_INSERT


class FarBehindIntake(PlainIntake):
    """As long as its source has something."""

    def __init__(self, source: Backlog) -> None:
        super().__init__(source, table_rows)
        self.is_far_behind = True

    def poll(self, seconds: float) -> Iterator[Shaped]:
        number = 0
        for shaped in super().poll(seconds):
            number += 1
            yield shaped
        self.is_far_behind = number > 0


class MeasuringSink(SlowSink):
    """Notes how many events of which partition it was given at once."""

    def __init__(self) -> None:
        super().__init__()
        self.given: list[tuple[str, int]] = []

    def insert(self, batch: Batch, token: str) -> Sequence[DeadLetter]:
        self.given.append((batch.span.partition, batch.events))
        return super().insert(batch, token)


@pytest.mark.parametrize("slow", [False, True])
@pytest.mark.parametrize("partitions", [1, 8])
def test_batches_are_full_or_keep_a_sink_busy_that_would_have_nothing_to_do(
    partitions: int, slow: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pipelines, "LONGEST_GATHERING", 10 * SECONDS)
    source, sink, stop = Backlog(partitions, None), MeasuringSink(), threading.Event()
    limits = Limits(rows=FULL * len(table_rows(EVENT)), bytes=1_000_000_000, seconds=0.001)
    intake, flow = FarBehindIntake(source), Flow(limits, lambda _: None, lambda: False)
    pipeline = Pipeline(source, intake, [sink, sink], flow, Buffer(Room()), Status("far behind"))
    worker = threading.Thread(target=pipeline.run, args=(stop,))
    if not slow:
        sink.let.set()
    worker.start()
    try:
        if slow:  # it has the first batch, and whatever comes meanwhile is gathered
            wait_until(lambda: not intake.is_far_behind and len(sink.given) == min(2, partitions))
            first, *second = sorted(events for _, events in sink.given)  # whoever's thread was faster
            assert HALF <= first < HALF + POLLED
            assert second in ([], [FULL])
        sink.let.set()
        wait_until(lambda: sum(source.acknowledged.values()) == EVENTS)
    finally:
        sink.let.set()
        stop.set()
        worker.join(SECONDS)
    assert not worker.is_alive()
    assert set(source.acknowledged.values()) == {EVENTS // partitions}
    last = {partition: index for index, (partition, _) in enumerate(sink.given)}
    others = [events for index, (partition, events) in enumerate(sink.given) if last[partition] != index]
    assert others
    assert all(HALF <= events <= FULL for events in others)


def test_a_partition_with_little_is_sent_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    stop = threading.Event()
    source = Trickle(30, stop)
    monkeypatch.setattr(pipelines, "time", SimpleNamespace(monotonic=lambda: source.now))
    monkeypatch.setattr(pipelines, "LONGEST_GATHERING", 0.5)
    run(source, FarBehindIntake(source), stop)
    expected = POLLS * 0.01 / (LONGEST_WAIT + 0.5)
    assert set(source.batches) == {f"p/{number}" for number in range(30)}
    assert all(expected * 0.8 <= batches <= expected + 2 for batches in source.batches.values())
    assert set(source.acknowledged.values()) == {POLLS}
