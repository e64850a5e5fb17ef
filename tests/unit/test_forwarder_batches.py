"""Batches: whole events, in order, none left out, cut alike when they are cut again."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import domain.events  # noqa: F401  (registers every event type)
from consumers.forwarder.batch import LETTER, Batch, Limits
from consumers.forwarder.buffer import ABANDONED_SECONDS, Buffer, Room, own_folder
from consumers.forwarder.cutter import Cutter, shape
from consumers.forwarder.rows import COLUMNS, TableRow, table_rows
from consumers.forwarder.sources.delivery import Delivery, Span, Unreadable
from consumers.forwarder.sources.portions import BYTES, EVENTS, portioned
from domain.event import Event, Metadata
from domain.events.job import JobStateChanged
from infra.clickhouse.compression import decoded
from infra.clickhouse.encoding import Encoded, Encoder

from .forwarding import cut, deliveries

MARCH, APRIL = datetime(2026, 3, 31, 12, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
POSITION = list(COLUMNS).index("position")
ENCODER = Encoder(COLUMNS)


def many(number: int, time: datetime = MARCH, first: int = 1) -> list[Event]:
    """Of two rows each."""
    body = JobStateChanged(11, 7, None, "validation", "completed", "annotation", "new")
    return [Event(body.stream, n, body, Metadata(time, "api"), n) for n in range(first, first + number)]


def _run(events: list[Event]) -> Batch:
    """As one worker gives it."""
    cutter = Cutter("log", events[0].position - 1, Limits())
    for delivery in deliveries(events):
        cutter.add(shape(delivery, table_rows))
    run = cutter.cut()
    run.encode(ENCODER)
    return run


def _as_cut(parts: list[list[TableRow]], made: list[Batch]) -> Iterator[list[TableRow]]:
    """All rows, in so many at a time as the batches have."""
    rows = iter(row for part in parts for row in part)
    for batch in made:
        yield list(islice(rows, batch.row_count))


def _unpacked(encoded: Encoded | None) -> list[bytes]:
    """Column by column: however many frames it came in."""
    assert encoded is not None
    return [b"".join(decoded(column, "lz4")) for column in encoded.columns]


def in_parts(events: list[Event], sizes: list[int]) -> Iterator[list[Event]]:
    rest = iter(events)
    for size in sizes:
        yield list(islice(rest, size))


def spans(batches: list[Batch]) -> list[tuple[int, int]]:
    return [(batch.span.after, batch.span.until) for batch in batches]


@given(st.integers(0, 60), st.integers(1, 20), st.integers(1, 4_000))
def test_batches_hold_whole_events_in_order_and_leave_none_out(number: int, limit: int, size: int) -> None:
    made = cut(many(number), Limits(limit, size))
    assert [after for after, _ in spans(made)] == [0, *(until for _, until in spans(made))][: len(made)]
    assert [row[POSITION] for batch in made for row in batch.rows] == [p for p in range(1, number + 1) for _ in "12"]
    assert all(len(batch.rows) <= limit + 1 for batch in made)
    assert sum(batch.events for batch in made) == number


def test_a_batch_ends_with_the_month() -> None:
    made = cut([*many(3), *many(2, APRIL, 4)], Limits())
    assert spans(made) == [(0, 3), (3, 5)]
    assert [batch.month for batch in made] == [(2026, 3), (2026, 4)]


@given(st.integers(1, 30), st.integers(1, 30))
def test_a_batch_that_was_announced_is_cut_there_again_whatever_the_limits(announced: int, rows: int) -> None:
    made = cut(many(30), Limits(rows=rows), announced=announced)
    assert spans(made)[0] == (0, announced)
    assert made[0].rows == [row for event in many(announced) for row in table_rows(event)]
    assert spans(made)[-1][1] == 30


def test_what_was_announced_but_is_not_there_any_more_ends_the_batch_before() -> None:
    events = [event for event in many(10) if event.position not in (5, 6)]
    assert spans(cut(events, Limits(), announced=5)) == [(0, 4), (4, 10)]


def test_an_event_that_cannot_be_read_or_shaped_is_a_dead_letter_of_its_batch() -> None:
    def shaper(event: Event) -> list[TableRow]:
        if event.position == 3:
            raise KeyError("stage")
        return table_rows(event)

    cutter = Cutter("log", 0, Limits())
    first, second, third = deliveries(many(3))
    unreadable = second._replace(content=Unreadable("NoSuchEvent: LookupError: unknown"))
    nameless = Delivery("topic/1", 99, 0, MARCH, Unreadable("not JSON"))
    for delivery in (first, unreadable, third, nameless):
        assert cutter.add(shape(delivery, shaper)) == []
    batch = cutter.cut()
    assert (batch.events, len(batch.rows), batch.span) == (4, 2, Span("log", 0, 99))
    assert [(dead.place, dead.position, dead.stage, dead.error) for dead in batch.dead] == [
        ("2", 2, "read", "NoSuchEvent: LookupError: unknown"),
        ("3", 3, "transform", "KeyError: 'stage'"),
        ("topic/1@99", None, "read", "not JSON"),
    ]


def test_dead_letters_fill_a_batch_too() -> None:
    limits = Limits(bytes=20 * (LETTER + 100))
    cutter = Cutter("log", 0, limits)
    unreadable = [Delivery("log", n, n, MARCH, Unreadable("x" * 100)) for n in range(1, 51)]
    made = [batch for delivery in unreadable for batch in cutter.add(shape(delivery, table_rows))]
    assert [len(batch.dead) for batch in made] == [20, 20]
    assert [batch.memory for batch in made] == [limits.bytes] * 2
    assert (cutter.memory, cutter.fullness) == (limits.bytes / 2, 0.5)
    (run,) = made[:1]
    run.extend(made[1])
    run.encode(ENCODER)
    assert run.memory == 2 * limits.bytes


def test_so_do_events_without_rows() -> None:
    events = deliveries(many(25))
    cutter = Cutter("log", 0, Limits(events=10))
    made = [batch for delivery in events for batch in cutter.add(shape(delivery, lambda _: []))]
    assert [batch.events for batch in made] == [10, 10]
    assert cutter.fullness == 0.5


class TestRunsThatAreEncodedAlready:
    """What workers give: cut, and in blocks."""

    @given(st.lists(st.integers(1, 9), max_size=12), st.integers(1, 30))
    def test_they_make_batches_like_events_do(self, sizes: list[int], limit: int) -> None:
        parts = list(in_parts(many(sum(sizes)), sizes))
        cutter = Cutter("log", 0, Limits(rows=limit))
        made = [batch for part in parts for batch in cutter.join(_run(part))] + ([cutter.cut()] if cutter.open else [])
        assert [after for after, _ in spans(made)] == [0, *(until for _, until in spans(made))][: len(made)]
        rows = [[row for event in part for row in table_rows(event)] for part in parts]
        encoded = [ENCODER.encode(these) for these in _as_cut(rows, made)]
        assert [_unpacked(batch.encoded) for batch in made] == [_unpacked(these) for these in encoded]
        assert [batch.encoded and batch.encoded.bytes for batch in made] == [these.bytes for these in encoded]
        assert sum(batch.row_count for batch in made) == 2 * sum(sizes)
        assert all(batch.row_count >= limit for batch in made[:-1])
        assert all(batch.row_count - 2 * 9 < limit for batch in made)
        assert [batch.position for batch in made] == [until for _, until in spans(made)]

    def test_a_batch_ends_with_the_month_and_where_single_events_begin(self) -> None:
        cutter = Cutter("log", 0, Limits())
        march, april = cut(many(3), Limits()), cut(many(2, APRIL, 4), Limits())
        for run in (*march, *april):
            run.encode(ENCODER)
        assert cutter.join(march[0]) == []
        (first,) = cutter.join(april[0])
        (second,) = [batch for one in deliveries(many(1, APRIL, 6)) for batch in cutter.add(shape(one, table_rows))]
        (third,) = cutter.join(_run(many(2, APRIL, 7)))
        assert spans([first, second, third, cutter.cut()]) == [(0, 3), (3, 5), (5, 6), (6, 8)]
        assert [batch.month for batch in (first, second, third)] == [(2026, 3), (2026, 4), (2026, 4)]
        assert (second.rows, third.encoded, len(third.rows)) == ([], None, 2)

    def test_one_without_rows_goes_with_the_others(self) -> None:
        cutter = Cutter("log", 0, Limits())
        dead = shape(Delivery("log", 3, 3, MARCH, Unreadable("no")), table_rows)
        alone = Cutter("log", 2, Limits())
        alone.add(dead)
        assert [*cutter.join(_run(many(2))), *cutter.join(alone.cut()), *cutter.join(_run(many(1, first=4)))] == []
        batch = cutter.cut()
        assert (batch.span, batch.events, batch.row_count) == (Span("log", 0, 4), 4, 6)
        assert [letter.position for letter in batch.dead] == [3]


@pytest.mark.parametrize(
    ("pieces", "parts"),
    [
        ([], []),
        ([(1, 1)] * (EVENTS + 1), [EVENTS, 1]),
        ([(1, BYTES - 1), (1, 1), (1, 1)], [2, 1]),
        ([(1, 1), (1, BYTES + 1), (1, 1)], [1, 1, 1]),
        ([(EVENTS - 1, 1), (1, 1), (EVENTS + 1, 1), (1, 1)], [2, 1, 1]),
    ],
)
def test_what_was_taken_is_handed_out_in_parts_of_so_many_events_and_bytes(
    pieces: list[tuple[int, int]], parts: list[int]
) -> None:
    cut_up = list(portioned(pieces, lambda piece: piece))
    assert [len(part) for part in cut_up] == parts
    assert [piece for part in cut_up for piece in part] == pieces


def batch_file(folder: Path) -> Path:
    folder.mkdir()
    file = folder / "1.batch"
    file.write_bytes(b"what waits")
    return file


class TestBuffer:
    """Memory first, then the disk, each partition in its order."""

    def test_what_was_on_disk_comes_back_as_it_was(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        folder = tmp_path_factory.mktemp("buffer") / "clickhouse"
        made = cut(many(40), Limits(rows=10))
        made[4].encode(ENCODER)
        made[5].dead = [shape(Delivery("log", 1, 1, MARCH, Unreadable("no")), table_rows).dead]  # type: ignore[list-item]
        expected = [vars(batch).copy() for batch in made]
        buffer = Buffer(Room(memory=made[0].bytes + 1, disk=made[0].bytes * 2, folder=folder))
        for batch in made[:2]:
            buffer.put(batch)
        assert (buffer.memory_events, buffer.disk_events, buffer.full) == (10, 0, False)
        for batch in made[2:]:
            buffer.put(batch)
        assert (buffer.memory_events, buffer.disk_events, buffer.full) == (10, 30, True)
        assert len(list(folder.iterdir())) == 6
        assert [vars(buffer.take("log")) for _ in made] == expected
        assert (buffer.memory_bytes, buffer.disk_bytes, buffer.partitions) == (0, 0, [])
        assert list(folder.iterdir()) == []

    def test_a_start_throws_away_what_was_left(self, tmp_path_factory: pytest.TempPathFactory) -> None:
        folder = tmp_path_factory.mktemp("buffer") / "clickhouse"
        room = Room(memory=1, disk=10**9, folder=folder)
        left = Buffer(room)
        for batch in cut(many(40), Limits(rows=10)):
            left.put(batch)
        assert any(folder.iterdir())
        again = Buffer(room)
        assert (list(folder.iterdir()), again.partitions) == ([], [])

    def test_what_others_left_long_ago_is_cleared_away(self, tmp_path: Path) -> None:
        """Where hosts come and go, nobody comes back under a name."""
        left, used = (batch_file(tmp_path / f"pod-{name}-7") for name in "ab")
        of_host = batch_file(tmp_path / f"{socket.gethostname()}-{2**22 + 1}")  # no process has such a number
        long_ago = time.time() - ABANDONED_SECONDS - 60
        os.utime(left, (long_ago, long_ago))
        own = own_folder(tmp_path)
        assert own == tmp_path / f"{socket.gethostname()}-{os.getpid()}"
        assert [file.exists() for file in (left, used, of_host.parent)] == [False, True, False]
        assert left.parent.exists()  # it may be that of a forwarder that has nothing to do

    def test_what_the_disk_does_not_take_waits_in_memory(self, tmp_path: Path) -> None:
        folder = tmp_path / "clickhouse"
        buffer = Buffer(Room(memory=1, disk=10**9, folder=folder))
        made = cut(many(25), Limits(rows=10))
        folder.rmdir()
        for batch in made[:3]:
            buffer.put(batch)
        assert (buffer.memory_events, buffer.disk_events, buffer.full) == (15, 0, True)
        assert buffer.take("log") is made[0]
        assert not buffer.full  # the disk is tried again
        buffer.put(made[3])
        assert buffer.full
        assert buffer.take("log") is made[1]
        folder.mkdir()
        buffer.put(made[4])
        assert (buffer.memory_events, buffer.disk_events, buffer.full) == (10, 5, False)
        assert [buffer.take("log").span for _ in range(3)] == [batch.span for batch in made[2:]]
        assert (buffer.memory_bytes, buffer.disk_bytes) == (0, 0)

    def test_where_no_folder_can_be_everything_waits_in_memory(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        buffer = Buffer(Room(memory=1, disk=10**9, folder=tmp_path / "file" / "clickhouse"))
        buffer.put(cut(many(2), Limits(rows=2))[0])
        assert (buffer.memory_events, buffer.disk_events, buffer.full) == (1, 0, True)

    def test_a_partition_can_be_dropped(self) -> None:
        buffer = Buffer(Room(memory=1))
        for batch in cut(many(4), Limits(rows=2)):
            buffer.put(batch)
        buffer.put(Batch(Span("other", 0, 1), MARCH, events=1, bytes=7))
        assert buffer.full
        buffer.drop("log")
        assert (buffer.partitions, buffer.memory_events, buffer.memory_bytes) == (["other"], 1, 7)
