"""Copies hold what the live tables held when the log ended there."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from psycopg import Connection
from psycopg.rows import DictRow

from cli.bootstrap import System, connect
from cli.copies import copy_until
from domain.errors import Conflict, Invalid, NotFound
from projections import copies
from projections.rebuild import SHADOW
from projections.registry import REGISTRY

from .conftest import Annals, MainJob
from .histories import BEGINNING, History, tables

PROJECTIONS = list(REGISTRY.values())
LATER = [("draw", 5), ("redraw", 6), ("remove", 7), ("task", 8), ("project", 9)]


@pytest.fixture
def connection(system: System) -> Iterator[Connection[DictRow]]:
    with system.database.connect() as connection:
        yield connection


def head(system: System) -> int:
    return int(system.app.recorder.max_notification_id() or 0)


def schemas(connection: Connection[DictRow]) -> set[str]:
    rows = connection.execute(
        "SELECT nspname FROM pg_namespace WHERE starts_with(nspname, 'copy_') OR starts_with(nspname, %s)", (SHADOW,)
    )
    return {row["nspname"] for row in rows}


def test_a_copy_is_what_was_live_at_each_step(
    system: System, database_url: str, connection: Connection[DictRow]
) -> None:
    history, then = History(system), []
    for step in [*BEGINNING, *LATER]:
        history.live([step])
        then.append((head(system), datetime.now(UTC), tables(connection, PROJECTIONS)))
    now = tables(connection, PROJECTIONS)
    for position, moment, expected in then[:: max(1, len(then) // 4)]:
        assert copy_until(database_url, str(position), "there").position == position
        assert tables(connection, PROJECTIONS, "copy_there") == expected
        assert copy_until(database_url, moment.isoformat(), "there", replace=True).position == position
        assert tables(connection, PROJECTIONS, "copy_there") == expected
        copies.drop(connection, "there")
    assert tables(connection, PROJECTIONS) == now


def test_a_time_never_splits_a_save(database_url: str, main_job: MainJob) -> None:
    with main_job.system.database.connect() as connection:
        rows = connection.execute("SELECT time, max(position) AS last FROM log.events GROUP BY time").fetchall()
        assert len(rows) < head(main_job.system)
        for row in rows:
            assert copies.position_at(connection, row["time"]) == row["last"]
        first = min(row["time"] for row in rows)
        assert copies.position_at(connection, first - timedelta(microseconds=1)) == 0
        assert copies.position_at(connection, datetime.now(UTC) + timedelta(days=1)) == head(main_job.system)


def test_a_clock_that_went_back_hides_nothing_that_came_later(database_url: str, main_job: MainJob) -> None:
    """The position before the first event that is too late, though events behind it may have earlier times."""
    with main_job.system.database.connect() as connection:
        late = datetime.now(UTC) + timedelta(hours=1)
        connection.execute("ALTER TABLE log.events DISABLE TRIGGER append_only")
        connection.execute("UPDATE log.events SET time = %s WHERE position = 5", (late,))
        assert copies.position_at(connection, datetime.now(UTC)) == 4


def test_the_empty_beginning_can_be_copied(database_url: str, main_job: MainJob) -> None:
    copy = copy_until(database_url, "0", "empty")
    assert (copy.position, copy.time) == (0, None)
    with connect_copy(database_url, "empty") as connection:
        assert connection.execute("SELECT count(*) FROM tasks").fetchone() == (0,)


def connect_copy(url: str, name: str) -> psycopg.Connection[tuple[object, ...]]:
    """As an analyst does."""
    return psycopg.connect(url, options=f"-c search_path={copies.search_path(name).replace(' ', '')}")


@pytest.mark.parametrize("name", ["", "1st", "Big", "a-b", 'a"; DROP SCHEMA log', "a" * 42])
def test_a_name_that_can_be_no_schema_is_refused(database_url: str, name: str) -> None:
    with pytest.raises(Invalid, match="small letters"):
        copy_until(database_url, "0", name)


@pytest.mark.parametrize("until", ["16", "99999999999999999999", "-1", "yesterday"])
def test_what_is_not_in_the_log_is_refused(database_url: str, main_job: MainJob, until: str) -> None:
    with pytest.raises(Invalid):
        copy_until(database_url, until, "there")


def test_a_taken_name_needs_replace(database_url: str, main_job: MainJob) -> None:
    copy_until(database_url, "3", "there")
    with pytest.raises(Conflict, match="--replace"):
        copy_until(database_url, "4", "there")
    assert copy_until(database_url, "5", "there", replace=True).position == 5
    with main_job.system.database.connect() as connection:
        assert [(copy.name, copy.position) for copy in copies.listed(connection)] == [("there", 5)]


@pytest.mark.parametrize("replace_it", [False, True])
def test_one_that_is_stopped_leaves_nothing_new(database_url: str, main_job: MainJob, replace_it: bool) -> None:
    if replace_it:
        copy_until(database_url, "3", "there")

    def stop(_position: int, _head: int) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        copy_until(database_url, "15", "there", stop, replace=replace_it)
    with main_job.system.database.connect() as connection:
        assert schemas(connection) == ({"copy_there"} if replace_it else set())
        assert [copy.position for copy in copies.listed(connection)] == ([3] if replace_it else [])


def test_what_a_killed_one_has_left_goes_with_the_next(database_url: str, main_job: MainJob) -> None:
    with main_job.system.database.connect() as connection:
        connection.execute(f"CREATE SCHEMA {copies.UNFINISHED}".encode())
        connection.execute(f"CREATE TABLE {copies.UNFINISHED}.tasks (id bigint)".encode())
        copy_until(database_url, "3", "there")
        assert schemas(connection) == {"copy_there"}


def test_one_that_is_used_stays(database_url: str, main_job: MainJob) -> None:
    copy_until(database_url, "3", "there")
    with main_job.system.database.connect() as using, main_job.system.database.connect() as connection:
        pid = using.info.backend_pid
        assert copies.hold(using, "there", PROJECTIONS).position == 3
        with pytest.raises(Conflict, match="being served"):
            copies.drop(connection, "there")
        with pytest.raises(Conflict, match="being served"):
            copy_until(database_url, "4", "there", replace=True)
        using.close()
        backend = "SELECT count(*) AS n FROM pg_stat_activity WHERE pid = %s"
        while connection.execute(backend, (pid,)).fetchone() != {"n": 0}:  # PostgreSQL notices in its own time
            time.sleep(0.01)
        copies.drop(connection, "there")
        assert schemas(connection) == set()
        with pytest.raises(NotFound, match="no copy there"):
            copies.drop(connection, "there")


def test_one_of_other_projections_is_not_used(database_url: str, main_job: MainJob) -> None:
    copy_until(database_url, "3", "there")
    newer = [replace(PROJECTIONS[0], version=99), *PROJECTIONS[1:]]
    remedy = "`annals replay --until 3 --into there --replace`"
    with main_job.system.database.connect() as connection, pytest.raises(Conflict, match=remedy):
        copies.hold(connection, "there", newer)


def test_the_database_refuses_to_change_a_copy(database_url: str, main_job: MainJob) -> None:
    copy_until(database_url, "15", "there")
    system = connect(database_url, 2, copy="there")
    try:
        assert system.database.query("SELECT 1 FROM tasks")
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            system.database.query("UPDATE tasks SET name = 'changed' RETURNING id")
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            system.app.jobs.update(main_job.admin, main_job.job_ids[1], state="in progress")
    finally:
        system.close()
    assert head(main_job.system) == 15


def test_the_commands(annals: Annals, main_job: MainJob) -> None:
    made = annals("replay", "--until", "3", "--into", "there")
    assert made.stdout.startswith("Made there, of position 3, in "), made.stderr
    (row,) = [json.loads(line) for line in annals("copies", "--json").stdout.splitlines()]
    assert (row["name"], row["position"]) == ("there", 3)
    assert annals("copies").stdout.splitlines()[1].startswith("there  3 ")
    refused = annals("replay", "--until", "99", "--into", "other")
    assert (refused.returncode, refused.stderr) == (
        1,
        "annals: until: Position 99 is not in the log, which ends at 15\n",
    )
    elsewhere = annals("copies", "--data", "elsewhere", "drop", "there")
    assert (elsewhere.returncode, "give it behind drop" in elsewhere.stderr) == (2, True)
    assert annals("copies", "drop", "there").stdout == "The copy there is gone\n"
    assert annals("copies", "drop", "there").returncode == 1


@pytest.mark.parametrize(
    "arguments", [["--until", "3"], ["--into", "there"], ["--replace"], ["tasks", "--until", "3", "--into", "there"]]
)
def test_half_a_command_is_a_wrong_command_line(annals: Annals, main_job: MainJob, arguments: list[str]) -> None:
    assert annals("replay", *arguments).returncode == 2
