"""Group commit: whoever returns without an error has been written, once; one save's failure is its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any

import pytest

from domain.errors import Unavailable, VersionConflict
from infra.eventlog.committer import MAX_BATCH_EVENTS, GroupCommitter, Save

WAIT_SECONDS = 60.0


def save(size: int = 1) -> Save:
    events: list[Any] = [None] * size
    return Save(events)


class Pages:
    """What is written to. The first batch waits until the gate is opened, so that the rest gathers behind it."""

    def __init__(self) -> None:
        self.batches: list[list[Save]] = []
        self.gate = threading.Event()
        self.arrived = threading.Event()
        self.fail: Callable[[Sequence[Save]], None] = lambda batch: None

    def write(self, batch: Sequence[Save], waiting: Callable[[], None]) -> None:
        self.arrived.set()
        assert self.gate.wait(WAIT_SECONDS)
        self.fail(batch)
        waiting()
        self.batches.append(list(batch))
        for written in batch:
            written.positions = [1]

    @property
    def written(self) -> list[Save]:
        return [written for batch in self.batches for written in batch]


def commit_together(pages: Pages, saves: list[Save]) -> list[BaseException | None]:
    """Commits each save in a thread of its own, all behind a first one; returns their errors."""
    committer = GroupCommitter(pages.write)
    errors: list[BaseException | None] = [None] * len(saves)

    def commit(number: int) -> None:
        try:
            committer.commit(saves[number])
        except BaseException as error:
            errors[number] = error

    first = threading.Thread(target=committer.commit, args=(save(),))
    first.start()
    assert pages.arrived.wait(WAIT_SECONDS)
    threads = [threading.Thread(target=commit, args=(number,)) for number in range(len(saves))]
    for thread in threads:
        thread.start()
    while len(committer._waiting) < len(saves):
        assert any(thread.is_alive() for thread in threads)
    pages.gate.set()
    for thread in [first, *threads]:
        thread.join(WAIT_SECONDS)
        assert not thread.is_alive()
    return errors


def test_saves_that_wait_are_written_together() -> None:
    pages = Pages()
    saves = [save() for _ in range(10)]
    assert commit_together(pages, saves) == [None] * 10
    assert [len(batch) for batch in pages.batches] == [1, 10]
    assert {id(one) for one in saves} == {id(one) for one in pages.batches[1]}


def test_a_lone_save_is_written_by_its_own_thread() -> None:
    writers = []
    committer = GroupCommitter(lambda batch, waiting: writers.append(threading.get_ident()))
    committer.commit(save())
    assert writers == [threading.get_ident()]


@pytest.mark.parametrize("size", [MAX_BATCH_EVENTS // 2 + 1, MAX_BATCH_EVENTS, MAX_BATCH_EVENTS * 3])
def test_large_saves_take_several_batches_and_none_is_forgotten(size: int) -> None:
    pages = Pages()
    saves = [save(size) for _ in range(8)]
    assert commit_together(pages, saves) == [None] * 8
    assert [len(batch) for batch in pages.batches] == [1] * 9
    assert len({id(one) for one in pages.written}) == 9


def test_a_leader_whose_own_save_has_no_room_in_its_batch_leads_again() -> None:
    """Who waits longer goes first; who leads may be somebody who came later."""
    pages = Pages()
    pages.gate.set()
    committer = GroupCommitter(pages.write)
    earlier, mine = save(MAX_BATCH_EVENTS), save(MAX_BATCH_EVENTS)
    earlier.turn.acquire()
    committer._waiting.append(earlier)
    committer.commit(mine)
    assert pages.batches == [[earlier], [mine]]
    assert earlier.turn.acquire(timeout=WAIT_SECONDS), "its thread is let go"


def test_a_batch_is_let_go_when_the_next_is_on_its_way_or_cannot_be_sent() -> None:
    """And not later: also when the next one hangs or fails."""
    hanging = threading.Event()
    committer: GroupCommitter

    def write(batch: Sequence[Save], waiting: Callable[[], None]) -> None:
        if batch[0] is second:
            waiting()
            assert hanging.wait(WAIT_SECONDS)
        if batch[0] is third:
            raise Unavailable("gone")
        if batch[0] is first:
            for number, each in enumerate((second, third), 1):
                threads.append(threading.Thread(target=attempt, args=(each,)))
                threads[-1].start()
                while len(committer._waiting) < number:  # in this order
                    pass

    def attempt(each: Save) -> None:
        with suppress(Unavailable):
            committer.commit(each)
        finished.append(each)

    first, second, third = save(), save(MAX_BATCH_EVENTS), save(MAX_BATCH_EVENTS)
    finished: list[Save] = []
    committer = GroupCommitter(write)
    threads: list[threading.Thread] = []
    committer.commit(first)
    assert finished == []
    hanging.set()
    for thread in threads:
        thread.join(WAIT_SECONDS)
    assert {id(each) for each in finished} == {id(second), id(third)}


def test_a_thread_that_is_stopped_while_it_waits_passes_the_lead_on(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = Pages()
    committer = GroupCommitter(pages.write)
    first, stopped, last = save(), save(), save()

    class Interrupted:
        """A lock whose waiter is interrupted once it was to lead."""

        def __init__(self) -> None:
            self.entered = False
            self.chosen = threading.Event()

        def acquire(self) -> None:
            if not self.entered:
                self.entered = True
                return
            assert self.chosen.wait(WAIT_SECONDS)
            raise KeyboardInterrupt

        def release(self) -> None:
            self.chosen.set()

    monkeypatch.setattr(stopped, "turn", Interrupted())
    raised: list[BaseException] = []

    def commit(each: Save) -> None:
        try:
            committer.commit(each)
        except BaseException as error:
            raised.append(error)

    threads = []
    for number, each in enumerate((first, stopped, last)):
        threads.append(threading.Thread(target=commit, args=(each,)))
        threads[-1].start()
        while len(committer._waiting) < number or not pages.arrived.is_set():
            assert threads[-1].is_alive()
    pages.gate.set()
    for thread in threads:
        thread.join(WAIT_SECONDS)
        assert not thread.is_alive()
    assert [type(error) for error in raised] == [KeyboardInterrupt]
    assert last.positions
    assert not stopped.positions


def test_a_save_that_is_refused_takes_no_other_with_it() -> None:
    pages = Pages()
    saves = [save() for _ in range(5)]

    def refuse(batch: Sequence[Save]) -> None:
        if any(one is saves[2] for one in batch):
            raise ValueError("this one")

    pages.fail = refuse
    errors = commit_together(pages, saves)
    assert [type(error) for error in errors] == [type(None), type(None), ValueError, type(None), type(None)]
    assert {id(one) for one in pages.written if one in saves} == {id(one) for one in saves if one is not saves[2]}


def test_an_error_that_the_writer_gave_to_one_save_is_raised_to_its_owner() -> None:
    pages = Pages()
    saves = [save() for _ in range(3)]

    def conflict(batch: Sequence[Save]) -> None:
        saves[1].error = VersionConflict("job-5", 1, 2)

    pages.fail = conflict
    errors = commit_together(pages, saves)
    assert [type(error) for error in errors] == [type(None), VersionConflict, type(None)]
    assert [len(batch) for batch in pages.batches] == [1, 3]


def test_what_may_have_been_written_is_not_written_again() -> None:
    pages = Pages()
    attempts: list[int] = []

    def vanish(batch: Sequence[Save]) -> None:
        attempts.append(len(batch))
        if len(attempts) > 1:
            raise Unavailable("gone")

    pages.fail = vanish
    errors = commit_together(pages, [save() for _ in range(5)])
    assert [type(error) for error in errors] == [Unavailable] * 5
    assert len({id(error) for error in errors}) == 5, "each thread raises an error of its own"
    assert attempts == [1, 5]


def test_when_the_database_goes_while_saves_are_tried_alone_the_rest_is_told_at_once() -> None:
    pages = Pages()
    attempts: list[int] = []

    def vanish(batch: Sequence[Save]) -> None:
        attempts.append(len(batch))
        if len(attempts) == 2:
            raise ValueError("one of them")
        if len(attempts) == 4:
            raise Unavailable("gone")

    pages.fail = vanish
    errors = commit_together(pages, [save() for _ in range(4)])
    assert sorted(type(error).__name__ for error in errors) == ["NoneType"] + ["Unavailable"] * 3
    assert attempts == [1, 4, 1, 1]


def test_a_leader_that_is_interrupted_does_not_leave_the_others_waiting() -> None:
    pages = Pages()

    def interrupt(batch: Sequence[Save]) -> None:
        if len(batch) > 1:
            raise KeyboardInterrupt

    pages.fail = interrupt
    errors = commit_together(pages, [save() for _ in range(4)])
    assert sorted(type(error).__name__ for error in errors) == ["KeyboardInterrupt"] + ["Unavailable"] * 3
