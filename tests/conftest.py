"""What tests of every kind start from. Each fixture is named for the state that it brings about.

All processes of one test run (pytest-xdist's too) share one PostgreSQL server; each test gets a database of its own,
cloned from one that has been prepared once.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import hypothesis
import psutil
import psycopg
import pytest
from psycopg import sql

from cli.roles.collector import calm_collector, stop_collector
from infra.postgres import connection as postgres_connection
from infra.postgres.embedded import EmbeddedPostgres
from infra.postgres.locks import FolderLock

# Until they are collected; see pytest_collection_finish.
stop_collector()

# A machine that is busy is no fault of the code under test. The examples are always the same, so that what fails can be
# run again; with ANNALS_TEST_RANDOM they are others.
hypothesis.settings.register_profile(
    "annals",
    deadline=None,
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
    derandomize="ANNALS_TEST_RANDOM" not in os.environ,
)
hypothesis.settings.load_profile("annals")

# Who names no patience of its own has five seconds, which a busy machine may take for a single answer.
httpx._config.DEFAULT_TIMEOUT_CONFIG.connect = httpx._config.DEFAULT_TIMEOUT_CONFIG.read = 60.0

# A server that hangs is known by its not greeting anybody for two seconds; on a busy machine that is no sign.
postgres_connection.GREETING_SECONDS = postgres_connection.NETWORK["connect_timeout"] = 30

# Each client would read the certificates of the world anew, for 20 ms; and all here ask by plain HTTP.
httpx._transports.default.create_ssl_context = cache(httpx.create_ssl_context)

if TYPE_CHECKING:
    from cli.bootstrap import System

RUN_FOLDER = "ANNALS_TEST_RUN_FOLDER"
MEMORY = Path("/dev/shm")
ROOM = 4 << 30
"""Bytes that must be free for tests to lie in memory; they take a tenth of it."""
TEMPLATE = "annals_template"
TOGETHER = ("tests/integration/blobs", "tests/integration/dashboards")
"""Folders whose modules share what takes seconds to bring about: one of xdist's workers gets all of them."""


def pytest_configure(config: pytest.Config) -> None:
    """The process that was started first makes the run's folder; xdist's workers inherit the variable.

    Not in pytest's own folder: when tests run as root, that one is closed to PostgreSQL's account.
    """
    for name in [name for name in os.environ if name.startswith("ANNALS_") and not name.startswith("ANNALS_TEST_")]:
        del os.environ[name]
    if not hasattr(config, "workerinput"):
        os.environ[RUN_FOLDER] = tempfile.mkdtemp(prefix="annals-tests-", dir=quick_place())


def pytest_collection_finish() -> None:
    """Thousands of tests and all that they import would be looked through again and again for garbage."""
    calm_collector()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Each module to one worker, as `--dist loadfile` does it, and each folder of TOGETHER."""
    from xdist.scheduler import LoadFileScheduling  # here: it need not be installed

    class ByFolder(LoadFileScheduling):  # type: ignore[misc]
        def _split_scope(self, nodeid: str) -> str:
            file = str(super()._split_scope(nodeid))
            folder = file.rpartition("/")[0]
            return folder if folder in TOGETHER else file

    return ByFolder(config, log) if config.getoption("dist") == "loadfile" else None


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop(RUN_FOLDER), ignore_errors=True)


def quick_place() -> str | None:
    """Where the databases of tests lie: in memory if there is room, where one is made and dropped ten times as fast.
    None: wherever temporary files are.
    """
    with suppress(OSError):
        if min(shutil.disk_usage(MEMORY).free, psutil.virtual_memory().available) > ROOM:
            return str(MEMORY)
    return None


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    """A running PostgreSQL server that holds the prepared template: the URL of its administrative database."""
    folder = Path(os.environ[RUN_FOLDER])
    with EmbeddedPostgres(folder / "postgres").attach_or_start() as url:
        with FolderLock(folder / "template.lock").hold(300):
            _make_template(url)
        yield url


@pytest.fixture
def new_database(postgres: str) -> Iterator[Callable[[], str]]:
    """Makes prepared, empty databases: each call returns the URL of a fresh one."""
    names: list[str] = []

    def make() -> str:
        names.append(f"test_{uuid.uuid4().hex}")
        with _administer(postgres) as connection:
            statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
            connection.execute(statement.format(sql.Identifier(names[-1]), sql.Identifier(TEMPLATE)))
        return _database(postgres, names[-1])

    yield make
    with _administer(postgres) as connection:
        for name in names:
            connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))


@pytest.fixture
def database_url(new_database: Callable[[], str]) -> str:
    """A prepared database without a single event."""
    return new_database()


@pytest.fixture
def system(database_url: str) -> Iterator[System]:
    """This process, joined to a prepared database without a single event."""
    from cli.bootstrap import connect

    system = connect(database_url)
    yield system
    system.close()


@pytest.fixture
def data_folder() -> Iterator[Path]:
    with new_data_folder() as folder:
        yield folder


@contextmanager
def new_data_folder() -> Iterator[Path]:
    """An empty folder that PostgreSQL's own account may reach too."""
    with tempfile.TemporaryDirectory(prefix="annals-test-", dir=quick_place(), ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        yield Path(folder) / "data"


def _make_template(url: str) -> None:
    from cli.rebuilding import prepare  # here, so that unit tests do without the whole program

    with _administer(url) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (TEMPLATE,)).fetchone():
            return
        # Under another name until it is ready: a failed attempt must not pass for the template.
        connection.execute("DROP DATABASE IF EXISTS unfinished WITH (FORCE)")
        connection.execute("CREATE DATABASE unfinished")
        prepare(_database(url, "unfinished"))
        connection.execute(sql.SQL("ALTER DATABASE unfinished RENAME TO {}").format(sql.Identifier(TEMPLATE)))


@contextmanager
def _administer(url: str) -> Iterator[psycopg.Connection]:
    with psycopg.connect(url, autocommit=True) as connection:
        yield connection


def _database(url: str, name: str) -> str:
    return urlsplit(url)._replace(path=f"/{name}").geturl()
