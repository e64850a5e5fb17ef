"""Projections are built anew beside the live ones, and swapped in, while the service goes on."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial

import psycopg
import pytest
from psycopg import Connection
from psycopg.rows import DictRow

from cli.bootstrap import System, connect
from cli.rebuilding import prepare, replay
from infra.eventlog.reader import LogReader
from infra.postgres.migrations import migrate, migration_names
from projections.listing import Wanted, find
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
    schemas = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname LIKE 'rebuild%'").fetchall()
    assert schemas == []


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


def test_a_rebuild_that_is_stopped_leaves_the_live_tables(
    system: System, database_url: str, connection: Connection[DictRow]
) -> None:
    History(system).live(BEGINNING)
    before = tables(connection, PROJECTIONS)

    def stop(position: int, head: int) -> None:
        raise Stopped

    with pytest.raises(Stopped):
        replay(database_url, PROJECTIONS, stop)
    assert tables(connection, PROJECTIONS) == before
    replay(database_url, PROJECTIONS)
    assert tables(connection, PROJECTIONS) == before


def test_people_write_and_read_while_projections_are_rebuilt(
    system: System, database_url: str, connection: Connection[DictRow]
) -> None:
    """And every answer is whole: a client always reads its own writes."""
    History(system).live(BEGINNING * 2)
    jobs = [row["id"] for row in connection.execute("SELECT id FROM jobs")]
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
            assert find(system.database.query, TASKS, Wanted())[0] == 2

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
