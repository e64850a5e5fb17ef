"""The composition root: makes every part and joins them. Nothing else knows everybody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import LiteralString

from psycopg import Connection, InterfaceError, OperationalError
from psycopg.rows import DictRow

from domain.application import Annals
from domain.errors import Unavailable
from infra.clock import utc_now
from infra.eventlog.factory import EventLogFactory
from infra.eventlog.reader import LogReader
from infra.ids import SequenceIds
from infra.passwords import Argon2Passwords
from infra.postgres.database import Database
from infra.postgres.migrations import migrate
from projections.lookup import ProjectionLookup
from projections.projection import Projection
from projections.rebuild import Progress, outdated, rebuild
from projections.registry import REGISTRY, all_projections

PROJECTIONS_LOCK = 0x50726F6A  # "Proj"


@dataclass(frozen=True)
class System:
    """A process's way to everything: the database for questions, the application for commands."""

    database: Database
    app: Annals

    def close(self) -> None:
        self.app.close()
        self.database.close()


def connect(url: str, pool_size: int = 10) -> System:
    """Joins a process to a database that `prepare` has made ready."""
    database = Database(url, pool_size).open()
    app = Annals(
        EventLogFactory(database, all_projections()),
        clock=utc_now,
        ids=SequenceIds(database),
        lookup=ProjectionLookup(database.query),
        passwords=Argon2Passwords(),
    )
    return System(database, app)


def prepare(url: str, progress: Progress | None = None) -> list[str]:
    """Migrates the database and builds the projections that are new or have another version; returns their names.

    Safe to run from many processes at once.
    """
    with database_errors(), Database(url).connect() as connection:
        migrate(connection)
        with projections_held(connection):
            connection.execute("CREATE SCHEMA IF NOT EXISTS read")
            pending = outdated(connection, list(REGISTRY.values()))
            if pending:
                rebuild(connection, LogReader(), pending, LogReader.lock_appends, progress)
    return [projection.name for projection in pending]


def replay(url: str, projections: Sequence[Projection], progress: Progress | None = None) -> int:
    """Rebuilds projections from the log while the service goes on; returns the position they are built to."""
    with database_errors(), Database(url).connect() as connection, projections_held(connection):
        return rebuild(connection, LogReader(), projections, LogReader.lock_appends, progress)


@contextmanager
def database_errors() -> Iterator[None]:
    """Turns a lost or refused connection into Unavailable."""
    try:
        yield
    except (OperationalError, InterfaceError) as error:
        raise Unavailable(f"PostgreSQL does not answer: {error}") from error


@contextmanager
def projections_held(connection: Connection[DictRow], *, shared: bool = False) -> Iterator[None]:
    """Keeps others from rebuilding projections. Waits for those who do.

    Without it two rebuilds would work in the same schema, and a swap in the middle of a verification would leave it
    comparing tables that its snapshot does not see.
    """
    how: LiteralString = "_shared" if shared else ""
    connection.execute(f"SELECT pg_advisory_lock{how}(%s)", (PROJECTIONS_LOCK,))
    try:
        yield
    finally:
        if not connection.broken:
            connection.execute(f"SELECT pg_advisory_unlock{how}(%s)", (PROJECTIONS_LOCK,))
