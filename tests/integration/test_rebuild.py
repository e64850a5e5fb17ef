"""Projections are built anew beside the live ones, and swapped in, while the service goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import partial

import psycopg
import pytest
from psycopg import Connection, Cursor, Rollback
from psycopg.errors import LockNotAvailable
from psycopg.rows import DictRow

from cli.bootstrap import System, connect
from cli.rebuilding import prepare, replay
from domain.event import Event
from infra.eventlog.reader import FETCH_EVENTS, LogReader
from infra.postgres.migrations import migrate, migration_names
from projections import versions
from projections.listing import Wanted, find
from projections.rebuild import rebuild
from projections.registry import REGISTRY
from projections.resources import JOBS, TASKS

from ..unit.domain.given import rectangle
from .databases import BARE, new_database
from .histories import BEGINNING, ME, History, tables
from .log_programs import WAIT_SECONDS, until

PROJECTIONS = list(REGISTRY.values())


@pytest.fixture
def connection(system: System) -> Iterator[Connection[DictRow]]:
    with system.database.connect() as connection:
        yield connection


@pytest.fixture
def bare_url(postgres: str) -> Iterator[str]:
    """A database in which nothing has been made."""
    with new_database(postgres, BARE) as url:
        yield url


def together(*commands: Callable[[], object]) -> list[BaseException]:
    """Runs them at the same time; returns what they raised."""
    failures: list[BaseException] = []

    def run(command: Callable[[], object]) -> None:
        try:
            command()
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(command,)) for command in commands]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_SECONDS)
    assert not any(thread.is_alive() for thread in threads)
    return failures


def shape(url: str) -> list[dict[str, object]]:
    """Every column, index and sequence there is."""
    with psycopg.connect(url, row_factory=psycopg.rows.dict_row) as connection:
        columns = connection.execute(
            "SELECT table_schema, table_name, column_name, data_type, is_nullable, column_default"
            " FROM information_schema.columns WHERE table_schema ~ '^(log|read_.*|public)$' ORDER BY 1, 2, 3"
        ).fetchall()
        others = connection.execute(
            "SELECT schemaname, indexdef FROM pg_indexes WHERE schemaname ~ '^(log|read_.*|public)$' ORDER BY 1, 2"
        ).fetchall()
        sequences = connection.execute("SELECT schemaname, sequencename FROM pg_sequences ORDER BY 1, 2").fetchall()
    return [*columns, *others, *sequences]


def test_many_processes_may_prepare_a_new_database_at_once(bare_url: str) -> None:
    built: list[list[str]] = []
    assert together(*[lambda: built.append(prepare(bare_url))] * 4) == []
    assert sorted(built) == [[], [], [], [projection.name for projection in PROJECTIONS]]
    system = connect(bare_url, 2)
    History(system).live(BEGINNING)
    assert system.database.query("SELECT 1 FROM annotations")
    system.close()


def test_preparing_twice_changes_nothing(bare_url: str) -> None:
    assert prepare(bare_url) == list(REGISTRY)
    before = shape(bare_url)
    assert prepare(bare_url) == []
    assert shape(bare_url) == before
    with psycopg.connect(bare_url, row_factory=psycopg.rows.dict_row, autocommit=True) as connection:
        assert migrate(connection) == []
        done = connection.execute("SELECT name FROM public.annals_migrations ORDER BY name").fetchall()
    assert [row["name"] for row in done] == migration_names()


def test_a_rebuild_makes_the_same_tables(system: System, database_url: str, connection: Connection[DictRow]) -> None:
    History(system).live(BEGINNING * 2)
    before, shape_before = tables(connection, PROJECTIONS), shape(database_url)
    steps: list[tuple[int, int]] = []
    head = replay(database_url, PROJECTIONS, lambda position, until: steps.append((position, until)))
    assert tables(connection, PROJECTIONS) == before
    assert shape(database_url) == shape_before
    assert steps[-1] == (head, head) == (system.app.recorder.max_notification_id(),) * 2
    assert unfinished(connection) == []


def test_a_rebuild_repairs_what_has_drifted_and_leaves_the_rest(
    system: System, database_url: str, connection: Connection[DictRow]
) -> None:
    History(system).live(BEGINNING)
    before = tables(connection, PROJECTIONS)
    connection.execute("UPDATE tasks SET name = 'drifted'")
    connection.execute("DELETE FROM annotations")
    connection.execute("UPDATE users SET first_name = 'left as it is'")
    replay(database_url, [REGISTRY["tasks"], REGISTRY["annotations"]])
    after = tables(connection, PROJECTIONS)
    assert {name for name, rows in after.items() if rows != before[name]} == {"users"}


def test_a_new_version_of_a_projection_is_built_at_the_start(
    system: System, database_url: str, connection: Connection[DictRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    History(system).live(BEGINNING)
    before = tables(connection, PROJECTIONS)
    connection.execute("UPDATE tasks SET name = 'of the old version'")
    connection.execute("UPDATE users SET first_name = 'left as it is'")
    assert prepare(database_url) == []
    versions.hold(connection, PROJECTIONS)  # as the program does that goes on with them
    newer = replace(REGISTRY["tasks"], version=REGISTRY["tasks"].version + 1)
    monkeypatch.setitem(REGISTRY, "tasks", newer)
    assert prepare(database_url) == ["tasks"]
    assert tables(connection, [newer])["tasks"] == before["tasks"]
    after = tables(connection, PROJECTIONS)
    assert {name for name, rows in after.items() if rows != before[name]} == {"tasks", "users"}, "the old one stays"
    rows = connection.execute("SELECT version FROM log.projections WHERE name = 'tasks' ORDER BY version").fetchall()
    assert rows == [{"version": newer.version - 1}, {"version": newer.version}]
    assert prepare(database_url) == []


class Stopped(Exception):
    """Somebody has had enough."""


def unfinished(connection: Connection[DictRow]) -> list[DictRow]:
    return connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'rebuild%'").fetchall()


@pytest.mark.parametrize("reason", [Stopped, KeyboardInterrupt])
def test_a_rebuild_that_is_stopped_leaves_the_live_tables(
    system: System, database_url: str, connection: Connection[DictRow], reason: type[BaseException]
) -> None:
    History(system).live(BEGINNING)
    before = tables(connection, PROJECTIONS)

    def stop(position: int, head: int) -> None:
        assert unfinished(connection)
        raise reason

    with pytest.raises(reason):
        replay(database_url, PROJECTIONS, stop)
    assert unfinished(connection) == []
    assert tables(connection, PROJECTIONS) == before
    replay(database_url, PROJECTIONS)
    assert tables(connection, PROJECTIONS) == before


class Watched(LogReader):
    """Remembers how many events are read at once while writers wait."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        super().__init__()
        self._connection = connection
        self.while_locked: list[int] = []

    def read(
        self,
        connection: Connection[DictRow],
        after: int,
        until: int,
        size: int = FETCH_EVENTS,
        *,
        types: Sequence[str] | None = None,
    ) -> Iterator[list[Event]]:
        if self._locked():
            self.while_locked.append(until - after)
        return super().read(connection, after, until, size, types=types)

    def _locked(self) -> bool:
        with self._connection.transaction():
            try:
                self._connection.execute("SET LOCAL lock_timeout = '1ms'")
                LogReader.lock_appends(self._connection.cursor())
            except LockNotAvailable as error:
                raise Rollback from error
            return False
        return True


def test_writers_wait_for_few_events_however_many_came_last(
    system: System, database_url: str, connection: Connection[DictRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projections.rebuild.LAST_EVENTS", 3)
    history, surprises = History(system), [BEGINNING, [("project", 2)]]
    history.live(BEGINNING)

    def lock(cursor: Cursor[DictRow]) -> None:
        if surprises:
            history.live(surprises.pop(0))
        LogReader.lock_appends(cursor)

    log = Watched(connection)
    with psycopg.connect(database_url, row_factory=psycopg.rows.dict_row, autocommit=True) as rebuilding:
        head = rebuild(rebuilding, log, PROJECTIONS, lock)
    assert head == log.head(connection)
    assert surprises == []
    assert log.while_locked == [1]


@pytest.mark.parametrize("again", [prepare, partial(replay, projections=[REGISTRY["users"]])])
def test_what_a_killed_rebuild_has_left_goes_with_the_next_start_or_rebuild(
    database_url: str, connection: Connection[DictRow], again: Callable[[str], object]
) -> None:
    connection.execute("CREATE SCHEMA rebuild_tasks_v1")
    connection.execute("CREATE TABLE rebuild_tasks_v1.tasks (id bigint)")
    again(database_url)
    assert unfinished(connection) == []


def test_people_write_and_read_while_projections_are_rebuilt(
    system: System, database_url: str, connection: Connection[DictRow]
) -> None:
    """And every answer is whole: a client always reads its own writes."""
    History(system).live(BEGINNING * 2)
    jobs = [row["id"] for row in connection.execute("SELECT id FROM jobs")]
    tasks = find(system.database.query, TASKS, Wanted())[0]
    labels = {job: next(iter(system.app.lookup.job_place(job).labels.by_id)) for job in jobs}
    done = threading.Event()
    written = [0] * 4

    def write(worker: int) -> None:
        while not done.is_set():
            job_id = jobs[written[worker] % len(jobs)]
            shapes = [rectangle(1, label_id=labels[job_id])] * 3
            document = system.app.annotations.create(ME, job_id, {"shapes": shapes})
            standing = system.app.lookup.standing("shapes", [shape["id"] for shape in document["shapes"]])
            assert {place.job_id for place in standing.values()} == {job_id}
            assert len(standing) == 3
            written[worker] += 1

    def read() -> None:
        while not done.is_set():
            total, rows = find(system.database.query, JOBS, Wanted(limit=None))
            assert total == len(rows) == len(jobs)
            assert find(system.database.query, TASKS, Wanted())[0] == tasks

    def more_than(count: int) -> bool:
        return sum(written) > count

    def rebuild() -> None:
        try:
            for _ in range(4):
                enough = sum(written) + 20
                replay(database_url, PROJECTIONS)
                until(partial(more_than, enough))
        finally:
            done.set()

    failures = together(rebuild, read, read, *(lambda worker=worker: write(worker) for worker in range(4)))
    assert failures == []
    live = tables(connection, PROJECTIONS)
    replay(database_url, PROJECTIONS)
    assert tables(connection, PROJECTIONS) == live
    rows = connection.execute("SELECT count(*) AS drawn FROM annotation_objects WHERE type = 'rectangle'")
    (count,) = rows.fetchall()
    assert count["drawn"] >= sum(written) * 3
    with system.database.connection() as reading:
        assert LogReader().head(reading) == system.app.recorder.max_notification_id()
