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
from projections import copies, versions
from projections.lookup import ProjectionLookup
from projections.projection import Projection
from projections.registry import all_projections, search_path


@dataclass(frozen=True)
class System:
    """A process's way to everything: the database for questions, the application for commands."""

    database: Database
    app: Annals
    projections: tuple[Projection, ...]

    def catch_up(self) -> None:
        """Folds what programs with other projection versions have appended. Raises Unavailable."""
        with self.database.connection() as connection:
            versions.catch_up(connection, LogReader(), self.projections, LogReader.lock_appends)

    def close(self) -> None:
        self.app.close()
        self.database.close()


def connect(url: str, pool_size: int = 10, *, copy: str | None = None) -> System:
    """Joins a process to a database that `prepare` has made ready. `copy`: to this copy of it, only to read."""
    path = search_path() if copy is None else copies.search_path(copy)
    database = Database(url, pool_size, search_path=path, read_only=copy is not None).open()
    projections = all_projections()

    def catch_up() -> None:
        with database.connection() as connection:
            versions.catch_up(connection, LogReader(), projections.projections, _locked_already)

    app = Annals(
        EventLogFactory(database, projections, catch_up),
        clock=utc_now,
        ids=SequenceIds(database),
        lookup=ProjectionLookup(database.query),
        passwords=Argon2Passwords(),
    )
    return System(database, app, projections.projections)


def _locked_already(_cursor: object) -> None:
    """In place of a lock that the caller has."""
