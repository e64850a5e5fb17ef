"""Programs with different versions of a projection side by side: each has its own tables, and all of them are right."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import replace

import psycopg
import pytest
from psycopg import Connection
from psycopg.rows import DictRow

from cli import keeping
from cli.bootstrap import System, connect
from cli.keeping import ProjectionKeeper
from cli.rebuilding import prepare
from domain.errors import Unavailable
from domain.task import NewTask
from infra.eventlog.reader import LogReader
from infra.postgres.database import Database
from projections import versions
from projections.projection import Projection, ProjectionSet
from projections.rebuild import create_tables, fold
from projections.registry import REGISTRY

from ..waiting import wait_until
from .histories import BEGINNING, ME, STEPS, History, tables

OLD = list(REGISTRY.values())
TASKS = REGISTRY["tasks"]
NEWER = replace(TASKS, version=TASKS.version + 1)
WAIT = 60.0


@pytest.fixture
def url(database_url: str) -> str:
    assert prepare(database_url) == []
    return database_url


@pytest.fixture
def connection(url: str) -> Iterator[Connection[DictRow]]:
    with Database(url).connect() as connection:
        yield connection


@pytest.fixture
def old(url: str) -> Iterator[System]:
    """A program that runs with today's versions."""
    system = connect(url)
    with ProjectionKeeper(system):
        wait_until_held(url, OLD)
        yield system
    system.close()


@pytest.fixture
def new(url: str, old: System, monkeypatch: pytest.MonkeyPatch) -> Iterator[System]:
    """The next program, which has another version of a projection; it has just been started beside the other."""
    History(old).live(BEGINNING)
    monkeypatch.setitem(REGISTRY, "tasks", NEWER)
    assert prepare(url) == ["tasks"]
    system = connect(url)
    with ProjectionKeeper(system):
        yield system
    system.close()


def wait_until_held(url: str, projections: list[Projection]) -> None:
    deadline = time.monotonic() + WAIT
    with psycopg.connect(url, autocommit=True) as connection:
        while True:
            row = connection.execute("SELECT pg_try_advisory_lock(%s)", (versions.program_id(projections),)).fetchone()
            if row == (False,):
                return
            connection.execute("SELECT pg_advisory_unlock_all()")
            assert time.monotonic() < deadline
            time.sleep(0.01)


def afresh(connection: Connection[DictRow], projections: list[Projection]) -> dict[str, list[bytes]]:
    with connection.transaction(force_rollback=True), connection.cursor() as cursor:
        create_tables(cursor, "afresh", projections)
        head = LogReader().head(connection)
        fold(connection, LogReader(), ProjectionSet(projections), 0, head)
        return tables(connection, projections, "afresh")


def folded(connection: Connection[DictRow]) -> dict[str, int | None]:
    rows = connection.execute("SELECT name || '@' || version AS key, folded FROM log.projections")
    return {row["key"]: row["folded"] for row in rows}


def test_alone_nobody_keeps_count(old: System, connection: Connection[DictRow]) -> None:
    History(old).live(BEGINNING)
    assert folded(connection) == dict.fromkeys((one.key for one in OLD), None)


def test_both_are_right_whoever_appends(old: System, new: System, connection: Connection[DictRow]) -> None:
    for number in range(4):
        History(old).live([(step, number) for step in STEPS[::2]])
        History(new).live([(step, number) for step in STEPS[1::2]])
    for system in (old, new):
        system.catch_up()
        own = list(system.projections)
        assert tables(connection, own) == afresh(connection, own)
    assert set(folded(connection).values()) == {LogReader().head(connection)}


def test_both_are_right_when_they_append_at_the_same_time(
    old: System, new: System, connection: Connection[DictRow]
) -> None:
    failures: list[BaseException] = []

    def live(system: System, seed: int) -> None:
        try:
            History(system).live([(step, seed + number) for number in range(3) for step in STEPS])
        except BaseException as error:
            failures.append(error)

    people = [threading.Thread(target=live, args=(system, seed)) for seed, system in enumerate((old, new, old, new))]
    for person in people:
        person.start()
    for person in people:
        person.join()
    assert failures == []
    for system in (old, new):
        system.catch_up()
        own = list(system.projections)
        assert tables(connection, own) == afresh(connection, own)


def test_who_only_reads_follows_within_a_moment(old: System, new: System) -> None:
    task_id = old.app.tasks.create(ME, NewTask("from the old one", []))
    deadline = time.monotonic() + WAIT
    while not new.database.query("SELECT 1 FROM tasks WHERE id = %s", (task_id,)):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_tables_of_a_program_that_ended_are_dropped(
    url: str, old: System, new: System, connection: Connection[DictRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    prepare(url)
    assert TASKS.key in folded(connection), "somebody uses it"
    monkeypatch.setattr(keeping, "ALONE_SECONDS", 3_600.0)  # until which it does not come again
    _kill_holders(connection)
    prepare(url)
    assert TASKS.key not in folded(connection)
    schemas = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname = %s", (TASKS.schema,)).fetchall()
    assert schemas == []
    assert set(folded(connection).values()) == {None}, "the one that is left need not count"
    with pytest.raises(Unavailable, match="restart this process"):
        History(old).live(BEGINNING)
    History(new).live(BEGINNING)
    own = list(new.projections)
    assert tables(connection, own) == afresh(connection, own)


def _kill_holders(connection: Connection[DictRow]) -> None:
    """As when the process of the old program dies: its lock is free, a moment later."""
    holders = (
        " FROM pg_locks WHERE locktype = 'advisory'"
        " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
        " AND (classid::bigint << 32 | objid::bigint) = %s"
    )
    number = (versions.program_id(OLD),)
    connection.execute("SELECT pg_terminate_backend(pid)" + holders, number)
    wait_until(lambda: connection.execute("SELECT pid" + holders, number).fetchone() is None)


def test_a_program_that_comes_back_after_long_catches_up_at_its_start(
    url: str, old: System, new: System, connection: Connection[DictRow], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rolling back to the version before is rolling out."""
    History(new).live(BEGINNING * 5)
    monkeypatch.setitem(REGISTRY, "tasks", TASKS)
    assert prepare(url) == []
    assert tables(connection, OLD) == afresh(connection, OLD)


def test_an_event_of_a_newer_program_stops_the_old_one_with_the_reason(
    old: System, new: System, connection: Connection[DictRow]
) -> None:
    new.app.tasks.create(ME, NewTask("cats", []))
    connection.execute("SET session_replication_role = replica")
    head = LogReader().head(connection)
    connection.execute("UPDATE log.events SET type = 'FromTheFuture' WHERE position = %s", (head,))
    connection.execute("UPDATE log.projections SET folded = %s WHERE version = %s", (head - 1, TASKS.version))
    with pytest.raises(Unavailable, match=r"unknown event type 'FromTheFuture'.*Restart"):
        old.app.tasks.create(ME, NewTask("dogs", []))
