"""Making projections: at the start of a program, and whenever somebody asks for them anew."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import LiteralString

from psycopg import Connection
from psycopg.rows import DictRow

from domain.errors import Conflict
from infra.eventlog.reader import LogReader
from infra.postgres.database import Database, typed_errors
from infra.postgres.migrations import applied, migrate, migration_names
from projections import versions
from projections.projection import Projection
from projections.rebuild import Progress, drop_unfinished, outdated, rebuild, search
from projections.registry import REGISTRY, search_path

PROJECTIONS_LOCK = 0x50726F6A  # "Proj"


def prepare(url: str, progress: Progress | None = None) -> list[str]:
    """Migrates the database and builds the projections that are new or have another version; returns their names. Those
    of other versions go on as long as a program with them runs.

    Safe to run from many processes at once.
    """
    database = Database(url)
    with typed_errors(), database.connect() as connection, database.connect() as reading:
        migrate(connection)
        with projections_held(connection):
            drop_unfinished(connection)
            mine = list(REGISTRY.values())
            pending = outdated(connection, mine)
            versions.register(connection, mine, LogReader.lock_appends)
            if pending:
                rebuild(connection, LogReader(), pending, LogReader.lock_appends, progress, reading)
            search(connection.cursor(), *(projection.schema for projection in mine))
            versions.catch_up(connection, LogReader(), mine, LogReader.lock_appends)
            versions.settle(connection, mine, LogReader.lock_appends)
    return [projection.name for projection in pending]


def ensure_prepared(url: str) -> None:
    """Prepares the database, as who may. Who may not, as the service's log-in where the processes are spread over
    machines, makes sure that `annals migrate` of this version or a later one has. Raises Conflict when it has not.
    """
    database = Database(url, search_path=search_path())
    with typed_errors(), database.connect() as connection:
        if not _may_prepare(connection):
            mine = list(REGISTRY.values())
            if not applied(connection) >= set(migration_names()) or outdated(connection, mine):
                raise Conflict("The database is not prepared for this version of Annals: run `annals migrate` first")
            return versions.catch_up(connection, LogReader(), mine, LogReader.lock_appends)
    prepare(url)
    return None


def replay(url: str, projections: Sequence[Projection], progress: Progress | None = None) -> int:
    """Rebuilds projections from the log while the service goes on; returns the position they are built to."""
    database = Database(url)
    with (
        typed_errors(),
        database.connect() as connection,
        database.connect() as reading,
        projections_held(connection),
    ):
        return rebuild(connection, LogReader(), projections, LogReader.lock_appends, progress, reading)


def _may_prepare(connection: Connection[DictRow]) -> bool:
    row = connection.execute("SELECT has_database_privilege(current_database(), 'CREATE') AS may").fetchone()
    return bool(row and row["may"])


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
