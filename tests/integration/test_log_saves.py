"""Saves: many in one transaction, each with its own fate; what was acknowledged is there once, whatever is killed."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import psycopg
import pytest

from cli.bootstrap import System, connect
from domain.errors import Conflict, Invalid, Unavailable, VersionConflict
from domain.event import SYSTEM, Context
from domain.events.data import UploadStarted
from domain.task import NewTask
from infra.eventlog.recorder import EventLogRecorder

from ..unit.domain import given
from ..unit.domain.given import ANN
from .log_programs import WAIT_SECONDS, Writer, append, head, positions, saves, until, waiting_for_the_append_lock


class Attempt:
    """A command on a thread of its own, and what became of it."""

    def __init__(self, command: Callable[[], object]) -> None:
        self.error: BaseException | None = None
        self._command = command
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._command()
        except BaseException as error:
            self.error = error

    def outcome(self) -> type[BaseException] | None:
        self._thread.join(WAIT_SECONDS)
        assert not self._thread.is_alive()
        return None if self.error is None else type(self.error)


def recorder(system: System) -> EventLogRecorder:
    log = system.app.recorder
    assert isinstance(log, EventLogRecorder)
    return log


@contextmanager
def gathered(system: System, *commands: Callable[[], object]) -> Iterator[list[Attempt]]:
    """The commands wait in one batch behind a first save, which waits for the append lock; at the end of the block the
    lock is released.
    """
    other = connect(system.database.url, 1)
    with recorder(other).append_transaction():
        attempts = [Attempt(lambda: append(system, "first"))]
        until(lambda: waiting_for_the_append_lock(system))
        attempts += [Attempt(command) for command in commands]
        until(lambda: len(recorder(system)._committer._waiting) == len(commands))
        yield attempts
    other.close()


def more_than(things: list[str], count: int) -> bool:
    return len(things) > count


def batches(system: System) -> list[int]:
    """How many events each transaction has written, in order."""
    rows = system.database.query("SELECT count(*) FROM log.events GROUP BY xmin::text ORDER BY min(position)")
    return [row["count"] for row in rows]


def test_saves_that_wait_are_one_transaction(system: System) -> None:
    with gathered(system, *(lambda n=n: append(system, f"save {n}", n, n) for n in range(1, 11))) as attempts:
        pass
    assert [attempt.outcome() for attempt in attempts] == [None] * 11
    assert batches(system) == [1, 20]
    assert saves(system) == {"first": 1} | {f"save {number}": 2 for number in range(1, 11)}


def test_a_conflict_in_one_save_fails_that_save_alone(system: System) -> None:
    def insist(version: int) -> Callable[[], object]:
        return lambda: system.app.record(ANN, [UploadStarted(9), UploadStarted(8)], {"data-9": version})

    with gathered(system, insist(0), insist(0), lambda: append(system, "after", 8), insist(5)) as attempts:
        pass
    outcomes = [attempt.outcome() for attempt in attempts]
    assert sorted(outcomes[1:3], key=str) == [VersionConflict, None]
    assert [outcomes[0], *outcomes[3:]] == [None, None, VersionConflict]
    assert batches(system) == [1, 3]


def test_a_save_that_the_database_refuses_fails_alone(system: System) -> None:
    system.app.record(ANN, [given.user(1, "ann")])
    commands = [
        lambda: append(system, "before", 2),
        lambda: system.app.record(ANN, [UploadStarted(3), given.user(2, "ANN")]),
        lambda: system.app.record(ANN, [given.user(3, "bob")]),
        lambda: system.app.record(ANN, [UploadStarted(3), given.task(7, name="nul \0")]),
        lambda: append(system, "after", 2),
    ]
    with gathered(system, *commands) as attempts:
        pass
    assert [attempt.outcome() for attempt in attempts] == [None, None, Conflict, None, Invalid, None]
    assert saves(system).keys() == {None, "first", "before", "after"}
    assert positions(system) == [1, 2, 3, 4, 5]
    assert system.database.query("SELECT 1 FROM log.events WHERE stream = 'data-3'") == []
    assert [row["id"] for row in system.database.query("SELECT id FROM users ORDER BY id")] == [1, 3]


def test_state_and_event_are_written_together_or_not_at_all(system: System) -> None:
    with system.database.connection() as connection:
        connection.execute("ALTER TABLE tasks ADD CHECK (name <> 'refused')")
    with pytest.raises(psycopg.errors.CheckViolation):
        system.app.tasks.create(ANN, NewTask("refused", []))
    assert positions(system) == []
    task_id = system.app.tasks.create(ANN, NewTask("taken", []))
    assert system.database.query("SELECT id FROM tasks") == [{"id": task_id}]


def test_numbers_of_any_size_go_through_one_connection(system: System) -> None:
    """Whatever the first ones were."""
    app = system.app
    app.record(ANN, [given.task(7), given.labels()])
    for job_id in (5, 70_000, 5_000_000_000, 6):
        app.record(ANN, [given.job(job_id)])
        app.annotations.create(ANN, job_id, {"shapes": [given.rectangle(1)]})
        app.annotations.clear(ANN, job_id)
    assert system.database.query("SELECT 1 FROM annotations") == []


def test_a_writer_whose_connection_is_cut_before_it_wrote_goes_on_with_another(system: System) -> None:
    with gathered(system, lambda: append(system, "second")) as attempts:
        (backend,) = waiting_for_the_append_lock(system)
        system.database.query("SELECT pg_terminate_backend(%s)", (backend,))
        until(lambda: waiting_for_the_append_lock(system) not in ([], [backend]))
    assert [attempt.outcome() for attempt in attempts] == [None, None]
    assert saves(system) == {"first": 1, "second": 1}
    assert positions(system) == [1, 2]


def test_all_saves_of_a_batch_whose_connection_is_cut_are_told(system: System) -> None:
    """Nobody can know whether the commit went through; to try again might record them twice."""
    with system.database.connection() as connection:
        # Holds an append open after its inserts, before its commit.
        connection.execute(
            "CREATE FUNCTION public.wait() RETURNS trigger LANGUAGE plpgsql AS"
            " $$BEGIN IF NEW.correlation_id = 'held' THEN PERFORM pg_advisory_lock(77); END IF; RETURN NULL; END$$"
        )
        connection.execute(
            "CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON log.events DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION public.wait()"
        )
    with system.database.connect() as keeper:
        keeper.execute("SELECT pg_advisory_lock(77)")
        with gathered(system, lambda: append(system, "held"), lambda: append(system, "with it")) as attempts:
            pass
        assert attempts[0].outcome() is None
        until(lambda: waiting_for_the_append_lock(system))
        (backend,) = waiting_for_the_append_lock(system)
        system.database.query("SELECT pg_terminate_backend(%s)", (backend,))
        assert [attempt.outcome() for attempt in attempts[1:]] == [Unavailable, Unavailable]
    assert saves(system) == {"first": 1}
    append(system, "afterwards")
    assert positions(system) == [1, 2]


def test_an_idle_connection_that_is_cut_costs_nothing(system: System, database_url: str) -> None:
    append(system, "before")
    system.database.query(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND pid <> pg_backend_pid()"
    )
    append(system, "after")
    afterwards = connect(database_url, 1)
    assert saves(afterwards) == {"before": 1, "after": 1}
    afterwards.close()


def test_under_cut_connections_what_was_acknowledged_is_there_once(system: System, database_url: str) -> None:
    stop = threading.Event()
    acknowledged: list[str] = []
    failed: list[str] = []

    def work(name: int) -> None:
        number = 0
        while not stop.is_set():
            number += 1
            save = f"{name}-{number}"
            try:
                append(system, save, 1, 2, 3)
                acknowledged.append(save)
            except Unavailable:
                failed.append(save)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    with system.database.connect() as killer:
        for _ in range(25):
            enough = len(acknowledged) + 20
            until(partial(more_than, acknowledged, enough))
            killer.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                " WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
    stop.set()
    for thread in threads:
        thread.join()
    afterwards = connect(database_url, 1)
    found = saves(afterwards)
    assert failed
    assert {found.get(save) for save in acknowledged} == {3}
    assert {found.get(save) for save in failed} <= {None, 3}
    assert positions(afterwards) == list(range(1, head(afterwards) + 1))
    afterwards.close()


def test_kill_9_of_a_writer_loses_nothing_that_it_acknowledged_and_leaves_nothing_half(
    system: System, database_url: str
) -> None:
    writer = Writer(database_url, "victim", seconds=60, size=5)
    acknowledged = writer.first_acknowledged(150)
    writer.kill()
    acknowledged += writer.acknowledged()
    append(system, "afterwards")
    found = saves(system)
    assert {found[save] for save in acknowledged} == {5}
    assert set(found.values()) <= {5, 1}
    assert {save for save, count in found.items() if count == 1} == {"victim is ready", "afterwards"}
    assert len(found) - 2 - len(acknowledged) <= 4, "a save per thread may have been on its way"
    there = positions(system)  # and may come yet
    assert there == list(range(1, len(there) + 1))


def test_a_database_that_is_gone_is_unavailable_in_bounded_time(database_url: str) -> None:
    gone = connect(database_url.replace("/test_", "/gone_"), 1)
    with pytest.raises(Unavailable):
        gone.app.record(Context(SYSTEM), [UploadStarted(1)])
    gone.close()
