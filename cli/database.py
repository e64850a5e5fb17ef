"""The way of a command to the database: the running server's, or one that it starts for itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import typer

from cli.options import DataOption, read_settings
from domain.errors import Conflict, Unavailable

if TYPE_CHECKING:
    from cli.bootstrap import System
    from infra.postgres.database import Database
    from infra.settings import Settings


def database_url(data: DataOption = None) -> None:
    """Print the URL of the database, for psql and other tools."""
    settings = read_settings(data)
    if settings.database_url:
        typer.echo(settings.database_url)
        return
    from infra.postgres.embedded import EmbeddedPostgres

    url = EmbeddedPostgres(settings.postgres).running_url()
    if url is None:
        raise Unavailable(f"The database in {settings.data} is not running: `annals serve` starts it")
    typer.echo(url)


@contextmanager
def any_database(settings: Settings) -> Iterator[str]:
    """The URL of a running database, prepared or not."""
    if settings.database_url:
        yield settings.database_url
        return
    from infra.postgres.embedded import EmbeddedPostgres

    if not settings.postgres.exists():
        raise Unavailable(f"There is no Annals data in {settings.data}: `annals serve` makes it, --data names another")
    with EmbeddedPostgres(settings.postgres).attach_or_start() as url:
        yield url


@contextmanager
def open_database(settings: Settings) -> Iterator[Database]:
    """A database that was prepared by this version of Annals. Raises Unavailable, Conflict."""
    from cli.bootstrap import database_errors
    from infra.postgres.database import Database
    from projections.registry import search_path

    with any_database(settings) as url, database_errors():
        database = Database(url, 2, search_path=search_path())
        try:
            _check_prepared(database)
            database.open()
            yield database
        finally:
            database.close()


@contextmanager
def open_system(settings: Settings) -> Iterator[System]:
    """As `open_database`, for commands that change something."""
    from cli.bootstrap import connect

    with open_database(settings) as database:
        system = connect(database.url, 2)
        try:
            yield system
        finally:
            system.close()


def _check_prepared(database: Database) -> None:
    from infra.postgres.migrations import migration_names

    with database.connect() as connection:
        row = connection.execute("SELECT to_regclass('public.annals_migrations') IS NOT NULL AS found").fetchone()
        found = bool(row and row["found"])
        done = connection.execute("SELECT name FROM public.annals_migrations").fetchall() if found else []
    if {row["name"] for row in done} != set(migration_names()):
        raise Conflict("The database was not prepared by this version of Annals: `annals serve` does that")
