"""The embedded server survives whatever is killed, keeps its data, and stops when it should."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import psycopg
import pytest

from domain.errors import Conflict, Unavailable
from infra.postgres import embedded
from infra.postgres.embedded import EmbeddedPostgres
from infra.postgres.folder import ServerFolder
from infra.postgres.server_settings import FIXED, TUNABLE

from ..conftest import quick_place
from ..waiting import wait_until
from .embedded_programs import (
    COMMAND,
    ENVIRONMENT,
    OWNER,
    WAIT_SECONDS,
    Program,
    entries,
    is_dead,
    is_running,
    kill_server,
    postmaster_pid,
    running,
    write,
)


@pytest.fixture
def place() -> Iterator[Path]:
    """An empty folder in which nothing runs afterwards.

    Outside pytest's own folder, which pytest closes to the server's account when tests run as root.
    """
    path = Path(tempfile.mkdtemp(prefix="annals-test-", dir=quick_place()))
    yield path
    kill_server(path)
    shutil.rmtree(path)


@pytest.fixture(scope="module")
def fresh_folder() -> Iterator[Path]:
    """A server's folder after its first start and stop."""
    path = Path(tempfile.mkdtemp(prefix="annals-test-", dir=quick_place()))
    with running(path / "postgres") as url, psycopg.connect(url) as connection:
        connection.execute("CREATE TABLE log (entry text PRIMARY KEY)")
        connection.execute("INSERT INTO log VALUES ('before')")
    yield path / "postgres"
    shutil.rmtree(path)


@pytest.fixture
def folder(place: Path, fresh_folder: Path) -> Path:
    """A stopped server's folder of one's own, holding the table `log`."""
    return Path(shutil.copytree(fresh_folder, place / "postgres"))


def test_a_first_start_makes_a_closed_folder_with_our_settings(place: Path) -> None:
    with running(place / "deep" / "postgres") as url, psycopg.connect(url) as connection:
        rows = connection.execute("SELECT name, setting, source, sourcefile FROM pg_settings").fetchall()
        shown = {name: connection.execute(f'SHOW "{name}"').fetchone() for name in FIXED | TUNABLE}
    assert stat.S_IMODE((place / "deep" / "postgres").stat().st_mode) == 0o700
    assert {name: value[0] for name, value in shown.items() if value} == FIXED | TUNABLE
    found = {name: (source, file) for name, _, source, file in rows}
    assert all(found[name][0] == "command line" for name in FIXED)
    assert all(found[name][1] == str(place / "deep" / "postgres" / "annals.conf") for name in TUNABLE)


def test_text_is_utf8_in_code_point_order_with_unicode_case_rules(folder: Path) -> None:
    with running(folder) as url, psycopg.connect(url) as connection:
        names = ["Z", "a", "É", "é", "z", "\U0001f431", "豆", "_"]
        ordered = connection.execute("SELECT n FROM unnest(%s::text[]) n ORDER BY n", [names]).fetchall()
        assert [name for (name,) in ordered] == sorted(names)
        assert connection.execute(
            "SELECT lower('ÉCOLE'), pg_encoding_to_char(encoding) FROM pg_database"
        ).fetchone() == (
            "école",
            "UTF8",
        )


def test_data_stays_over_stop_and_start(folder: Path) -> None:
    for entry in ("first", "second"):
        with running(folder) as url:
            write(url, entry)
        assert not is_running(folder)
    with running(folder) as url:
        assert entries(url) == {"before", "first", "second"}


def test_durability_can_not_be_configured_away(folder: Path) -> None:
    with running(folder) as url, psycopg.connect(url, autocommit=True) as connection:
        connection.execute("ALTER SYSTEM SET fsync = off")
        connection.execute("ALTER SYSTEM SET work_mem = '9MB'")
    with running(folder) as url, psycopg.connect(url) as connection:
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
        assert connection.execute("SHOW work_mem").fetchone() == ("9MB",)


def test_stopping_rolls_back_open_transactions_and_needs_no_recovery(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    connection = psycopg.connect(server.start())
    connection.execute("INSERT INTO log VALUES ('uncommitted')")
    server.stop()
    connection.close()
    with running(folder) as url:
        assert entries(url) == {"before"}
    log = "".join(path.read_text() for path in server.log_folder.glob("postgres-*.log"))
    assert "database system was shut down at" in log
    assert "automatic recovery in progress" not in log


def test_a_hurried_stop_leaves_the_order_to_the_next_start(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    write(server.start(), "acknowledged")
    server.stop(lambda: True)
    assert not is_running(folder)
    with running(folder) as url:
        assert entries(url) == {"before", "acknowledged"}
    log = "".join(path.read_text() for path in server.log_folder.glob("postgres-*.log"))
    assert "received immediate shutdown request" in log
    assert "automatic recovery in progress" in log


def test_a_killed_postmaster_is_replaced_although_a_backend_still_works(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    url = server.start()
    busy = psycopg.connect(url, autocommit=True)
    busy_pid = busy.info.backend_pid
    # Computes without ever waiting, so that it does not notice by itself that the postmaster is gone.
    busy.pgconn.send_query(b"SELECT count(*) FROM generate_series(1, 5000000000) a")
    write(url, "acknowledged")
    killed = postmaster_pid(folder)
    os.kill(killed, signal.SIGKILL)
    wait_until(lambda: not is_running(folder))
    assert entries(server.start()) == {"before", "acknowledged"}
    assert postmaster_pid(folder) != killed
    assert is_dead(busy_pid)
    busy.close()
    server.stop()


def test_the_server_of_a_killed_owner_is_taken_over(folder: Path) -> None:
    owner = Program(OWNER, folder)
    write(owner.url, "acknowledged")
    left_running = postmaster_pid(folder)
    owner.kill()
    with running(folder) as url:
        assert postmaster_pid(folder) == left_running
        assert entries(url) == {"before", "acknowledged"}
    assert not is_running(folder)


def test_an_orphan_of_a_killed_owner_does_not_keep_the_folder_locked(folder: Path) -> None:
    owner = Program(OWNER, folder, "fork")
    (orphan,) = [child for child in psutil.Process(owner.process.pid).children() if child.name() != "postgres"]
    owner.kill()
    with running(folder) as url:
        assert entries(url) == {"before"}
        assert orphan.is_running()
    orphan.kill()


def test_after_everything_was_killed_the_acknowledged_is_there(folder: Path) -> None:
    owner = Program(OWNER, folder)
    write(owner.url, "acknowledged")
    owner.kill()
    kill_server(folder)
    with running(folder) as url:
        assert entries(url) == {"before", "acknowledged"}


def test_a_process_that_got_the_old_process_number_is_left_alone(folder: Path) -> None:
    owner = Program(OWNER, folder)
    old = str(postmaster_pid(folder))
    owner.kill()
    kill_server(folder)
    account = ServerFolder(folder).account
    stranger = subprocess.Popen(["sleep", "600"], user=account.uid if account else None)
    for leftover in (folder / "cluster" / "postmaster.pid", folder / ".s.PGSQL.5432.lock"):
        leftover.write_text(leftover.read_text().replace(old, str(stranger.pid), 1))
    assert not is_running(folder)
    with running(folder) as url:
        assert entries(url) == {"before"}
    assert stranger.poll() is None
    stranger.kill()
    stranger.wait()


def test_a_second_owner_is_refused_and_told_who_has_the_folder(folder: Path) -> None:
    owner = Program(OWNER, folder)
    with pytest.raises(Conflict, match=rf"{folder} is in use by .* \(process {owner.process.pid}\)"):
        EmbeddedPostgres(folder).start()
    assert entries(owner.url) == {"before"}
    owner.terminate()


def test_sigterm_of_the_owner_stops_the_server(folder: Path) -> None:
    owner = Program(OWNER, folder)
    owner.terminate()
    assert not is_running(folder)
    assert not (folder / "cluster" / "postmaster.pid").exists()


def test_ctrl_c_does_not_reach_the_server(folder: Path) -> None:
    owner = Program(OWNER, folder)
    os.killpg(owner.process.pid, signal.SIGINT)
    owner.process.wait(WAIT_SECONDS)
    assert entries(owner.url) == {"before"}


def test_commands_use_the_owners_server_and_leave_it_running(folder: Path) -> None:
    owner = Program(OWNER, folder)
    command = Program(COMMAND, folder)
    assert command.url == owner.url == EmbeddedPostgres(folder).running_url()
    command.end()
    assert entries(owner.url) == {"before"}
    owner.terminate()
    assert not is_running(folder)


def test_the_last_of_several_commands_stops_the_server_that_the_first_started(folder: Path) -> None:
    first, second = Program(COMMAND, folder), Program(COMMAND, folder)
    assert first.url == second.url
    first.end()
    assert entries(second.url) == {"before"}
    second.end()
    assert not is_running(folder)


def test_an_owner_takes_over_the_server_of_a_command(folder: Path) -> None:
    command = Program(COMMAND, folder)
    started = postmaster_pid(folder)
    owner = Program(OWNER, folder)
    command.end()
    assert postmaster_pid(folder) == started
    assert entries(owner.url) == {"before"}
    owner.terminate()


def test_a_killed_command_is_not_counted(folder: Path) -> None:
    Program(COMMAND, folder).kill()
    assert is_running(folder)
    Program(COMMAND, folder).end()
    assert not is_running(folder)


def test_nested_use_in_one_process_ends_with_the_outermost(folder: Path) -> None:
    server = EmbeddedPostgres(folder)
    with server.attach_or_start() as url:
        with server.attach_or_start() as again:
            assert again == url
        assert entries(url) == {"before"}
    assert not is_running(folder)


def test_a_command_whose_work_fails_still_stops_the_server(folder: Path) -> None:
    with pytest.raises(ZeroDivisionError), EmbeddedPostgres(folder).attach_or_start():
        _ = 1 / 0
    assert not is_running(folder)


def test_commands_at_once_on_a_new_folder_share_one_server(place: Path) -> None:
    folder = place / "postgres"
    source = COMMAND.replace("sys.stdin.readline()", "")
    command = [sys.executable, "-c", source, str(folder)]
    together = [subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) for _ in range(3)]
    urls = {process.communicate(timeout=300)[0] for process in together}
    assert len(urls) == 1
    assert [process.returncode for process in together] == [0, 0, 0]
    assert not is_running(folder)


def test_a_server_with_other_settings_is_restarted_by_the_owner_not_by_a_command(folder: Path) -> None:
    owner = Program(OWNER, folder)
    before = postmaster_pid(folder)
    owner.kill()
    (folder / "annals.conf").write_text("# of an older version\n")
    Program(COMMAND, folder).kill()
    assert postmaster_pid(folder) == before
    with running(folder) as url:
        assert postmaster_pid(folder) != before
        assert entries(url) == {"before"}


def test_a_server_that_is_just_stopping_is_waited_for(folder: Path) -> None:
    owner = Program(OWNER, folder)
    stopping = postmaster_pid(folder)
    # A smart shutdown waits for this connection, so the start meets it half done.
    with psycopg.connect(owner.url):
        owner.kill()
        os.kill(stopping, signal.SIGTERM)
        wait_until(lambda: not is_running(folder))
        with running(folder) as url:
            assert entries(url) == {"before"}
            assert postmaster_pid(folder) != stopping


@pytest.mark.parametrize("name", ["with space", "comma,quote\"'", "percent%20&=?#", "Ünïcode-豆", "x" * 120])
def test_any_path_will_do(place: Path, fresh_folder: Path, name: str) -> None:
    folder = place / name / "postgres"
    shutil.copytree(fresh_folder, folder)
    with running(folder) as url:
        assert entries(url) == {"before"}
        socket_folder = Path(psycopg.conninfo.conninfo_to_dict(url)["host"])  # type: ignore[arg-type]
        assert stat.S_IMODE(socket_folder.stat().st_mode) == 0o700
        assert EmbeddedPostgres(folder).running_url() == url
    assert folder == socket_folder or not socket_folder.exists()


def test_a_socket_folder_of_somebody_else_is_refused(place: Path, fresh_folder: Path) -> None:
    folder = place / ("x" * 120) / "postgres"
    shutil.copytree(fresh_folder, folder)
    trap = ServerFolder(folder).socket_folder
    trap.symlink_to(place)
    with pytest.raises(Unavailable, match="belongs to somebody else"):
        EmbeddedPostgres(folder).start()
    trap.unlink()


def test_an_interrupted_first_start_is_begun_again(place: Path) -> None:
    folder = place / "postgres"
    (folder / "cluster.new" / "base").mkdir(parents=True)
    (folder / "cluster.new" / "PG_VERSION").write_text("18\n")
    with running(folder) as url, psycopg.connect(url) as connection:
        assert connection.execute("SELECT 1").fetchone() == (1,)
    assert not (folder / "cluster.new").exists()


def test_a_failed_start_says_what_postgresql_said_and_gives_the_folder_free(folder: Path) -> None:
    with (folder / "cluster" / "postgresql.auto.conf").open("a") as config:
        config.write("work_mem = 'nonsense'\n")
    with pytest.raises(Unavailable, match=r'invalid value for parameter "work_mem"'):
        EmbeddedPostgres(folder).start()
    (folder / "cluster" / "postgresql.auto.conf").write_text("")
    with running(folder) as url:
        assert entries(url) == {"before"}


@pytest.mark.parametrize("use", ["start", "attach_or_start"])
def test_a_start_that_takes_too_long_leaves_nothing_running(
    folder: Path, monkeypatch: pytest.MonkeyPatch, use: str
) -> None:
    server = EmbeddedPostgres(folder)
    monkeypatch.setattr(embedded, "START_TIMEOUT", 0.0)
    with pytest.raises(Unavailable, match="was not ready after 0 s"):
        server.start() if use == "start" else server.attach_or_start().__enter__()
    monkeypatch.undo()
    workers = [
        p for p in psutil.process_iter(["name", "cmdline"]) if str(folder / "cluster") in (p.info["cmdline"] or [])
    ]
    assert [process for process in workers if not is_dead(process.pid)] == []
    with running(folder) as url:
        assert entries(url) == {"before"}


def test_a_folder_of_another_postgresql_is_refused(folder: Path) -> None:
    (folder / "cluster" / "PG_VERSION").write_text("16\n")
    with pytest.raises(Unavailable, match=r"belongs to PostgreSQL 16; this Annals brings 18"):
        EmbeddedPostgres(folder).start()


def test_a_path_that_is_a_file_is_refused(place: Path) -> None:
    (place / "postgres").write_text("")
    with pytest.raises(Unavailable, match="can't be used"):
        EmbeddedPostgres(place / "postgres").start()
    assert EmbeddedPostgres(place / "postgres").running_url() is None


def test_nothing_runs_in_a_folder_that_is_not_there(place: Path) -> None:
    assert EmbeddedPostgres(place / "postgres").running_url() is None
    assert not (place / "postgres").exists()


def test_old_log_files_go(folder: Path) -> None:
    old, recent = (folder / "log" / f"postgres-{day}.log" for day in ("Old", "New"))
    for path, days in ((old, 8), (recent, 1)):
        path.write_text("")
        os.utime(path, times=(time.time() - days * 86400,) * 2)
    with running(folder):
        assert (old.exists(), recent.exists()) == (False, True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give the server another account")
class TestAsRoot:
    def test_the_server_runs_under_its_own_account(self, folder: Path) -> None:
        with running(folder):
            process = psutil.Process(postmaster_pid(folder))
            assert process.uids().effective == process.uids().saved == (folder / "cluster").stat().st_uid != 0
            assert process.gids().effective != 0
            status = Path(f"/proc/{process.pid}/status").read_text()
            assert "Groups:\t \n" in status

    def test_closed_folders_above_it_can_be_walked_but_not_listed(self, place: Path, fresh_folder: Path) -> None:
        closed = place / "closed"
        closed.mkdir(mode=0o700)
        shutil.copytree(fresh_folder, closed / "postgres")
        with running(closed / "postgres") as url:
            assert entries(url) == {"before"}
        assert stat.S_IMODE(closed.stat().st_mode) == 0o701

    def test_the_folder_of_an_ordinary_account_stays_with_it(self, folder: Path) -> None:
        os.chown(folder, 1, 1)
        with running(folder) as url:
            assert entries(url) == {"before"}
            assert psutil.Process(postmaster_pid(folder)).uids().real == 1
        assert {path.stat().st_uid for path in (folder / "cluster").rglob("*")} == {1}
