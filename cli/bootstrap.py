"""The composition root: makes every part and joins them. Nothing else knows everybody."""

from __future__ import annotations

from dataclasses import dataclass

from domain.application import Annals
from infra.clock import utc_now
from infra.eventlog.factory import EventLogFactory
from infra.eventlog.reader import LogReader
from infra.ids import SequenceIds
from infra.passwords import Argon2Passwords
from infra.postgres.database import Database
from infra.postgres.migrations import migrate
from projections.lookup import ProjectionLookup
from projections.rebuild import Progress, outdated, rebuild
from projections.registry import REGISTRY, all_projections


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
    """Migrates the database and builds the projections that are new or have another version; returns their names."""
    database = Database(url)
    with database.connect() as connection:
        migrate(connection)
        connection.execute("CREATE SCHEMA IF NOT EXISTS read")
        pending = outdated(connection, list(REGISTRY.values()))
        if pending:
            rebuild(connection, LogReader(), pending, LogReader.lock_appends, progress)
    return [projection.name for projection in pending]
