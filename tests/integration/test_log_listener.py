"""Followers are woken for what concerns them, and again after their connection was cut."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from cli.bootstrap import System
from domain.event import SYSTEM, Context
from domain.events.data import UploadStarted
from infra.eventlog.recorder import EventLogRecorder
from infra.eventlog.subscription import ANYTHING, Listener, notice

from ..unit.domain import given
from .log_programs import append, until, waiting_for_the_append_lock


@pytest.fixture
def heard(system: System) -> Iterator[list[frozenset[str]]]:
    """What a listener is told, as it is told."""
    told: list[frozenset[str]] = []
    listener = Listener(system.database, told.append).start()
    until(lambda: told)
    assert told == [ANYTHING], "something may have happened before it listened"
    told.clear()
    yield told
    listener.stop()


def test_an_append_tells_the_nouns_of_its_streams(system: System, heard: list[frozenset[str]]) -> None:
    system.app.record(Context(SYSTEM), [given.task(7), UploadStarted(7), given.queued("action=create&target=task")])
    until(lambda: heard)
    assert heard == [{"task", "data", "request"}]
    assert notice(["task-7", "task-8", "request-action=create&target=task"]) == "request,task"


def test_a_batch_is_told_once(system: System, heard: list[frozenset[str]]) -> None:
    recorder = system.app.recorder
    assert isinstance(recorder, EventLogRecorder)
    threads = [threading.Thread(target=append, args=(system,)) for _ in range(10)]
    with recorder.append_transaction():
        threads[0].start()
        until(lambda: waiting_for_the_append_lock(system))  # with its save alone
        for thread in threads[1:]:
            thread.start()
        until(lambda: len(recorder._committer._waiting) == 9)
    for thread in threads:
        thread.join()
    system.app.record(Context(SYSTEM), [given.task(7)])
    until(lambda: {"task"} in heard)
    assert heard == [{"data"}, {"data"}, {"task"}]


def test_what_was_rolled_back_is_not_told(system: System, heard: list[frozenset[str]]) -> None:
    recorder = system.app.recorder
    assert isinstance(recorder, EventLogRecorder)
    try:
        with recorder.append_transaction() as cursor:
            cursor.execute("SELECT pg_notify('annals_log', 'never')")
            raise TimeoutError
    except TimeoutError:
        append(system)
    until(lambda: heard)
    assert heard == [{"data"}]


def test_a_listener_whose_connection_is_cut_listens_again(system: System, heard: list[frozenset[str]]) -> None:
    cut = system.database.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND query LIKE 'LISTEN%'"
    )
    assert len(cut) == 1
    until(lambda: heard == [ANYTHING])
    append(system)
    until(lambda: len(heard) == 2)
    assert heard[1] == {"data"}


def test_a_subscription_begins_where_it_is_told_and_goes_on(system: System) -> None:
    recorder = system.app.recorder
    assert isinstance(recorder, EventLogRecorder)
    append(system, None, 1, 2, 3)
    with recorder.subscribe(gt=2) as subscription:
        assert next(subscription).id == 3
        append(system, None, 4)
        assert next(subscription).originator_id == "data-4"
    with recorder.subscribe(topics=["TaskCreated"]) as subscription:
        system.app.record(Context(SYSTEM), [UploadStarted(7), given.task(7)])
        assert next(subscription).topic == "TaskCreated"
