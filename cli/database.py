"""The way of a command to the database: the running server's, or one that it starts for itself."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from cli.options import DataOption, read_settings
from domain.errors import AnnalsError, Conflict, Unavailable

if TYPE_CHECKING:
    from cli.bootstrap import System
    from infra.postgres.database import Database
    from infra.settings import Settings


def database_url(data: DataOption = None) -> None:
    """Print the URL of the database, for psql and other tools."""
    settings = read_settings(data)
    if settings.database_url:
        typer.echo(settings.database_owner_url or settings.database_url)
        return
    from infra.postgres.embedded import EmbeddedPostgres

    url = EmbeddedPostgres(settings.postgres).running_url()
    if url is None:
        raise Unavailable(f"The database in {settings.data} is not running: `annals serve` starts it")
    typer.echo(url)


@contextmanager
def any_database(settings: Settings) -> Iterator[str]:
    """The URL of a running database, prepared or not, as who owns it."""
    if settings.database_url:
        yield settings.database_owner_url or settings.database_url
        return
    from infra.postgres.embedded import EmbeddedPostgres

    if not settings.postgres.exists():
        raise Unavailable(f"There is no Annals data in {settings.data}: `annals serve` makes it, --data names another")
    with EmbeddedPostgres(settings.postgres).attach_or_start() as url:
        yield url


def service_url(settings: Settings, owner_url: str) -> str:
    """What the service itself connects with: it may add to the log and never change it."""
    if settings.database_url:
        return settings.database_url
    from infra.postgres.embedded import EmbeddedPostgres

    return EmbeddedPostgres.as_service(owner_url)


@contextmanager
def fresh_database(settings: Settings) -> Iterator[str]:
    """As `any_database`; a data folder that is not there is made."""
    if settings.database_url:
        yield settings.database_owner_url or settings.database_url
        return
    from infra.postgres.embedded import EmbeddedPostgres

    make_data_folder(settings.data)
    with EmbeddedPostgres(settings.postgres).attach_or_start() as url:
        yield url


def make_data_folder(folder: Path) -> None:
    """PostgreSQL does not run as root: its own account must be able to walk through, not to look around. Raises
    AnnalsError.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o701 if os.geteuid() == 0 else 0o700)
    except OSError as error:
        raise AnnalsError(f"The data folder {folder} can't be used: {error.strerror}") from error


@contextmanager
def open_database(settings: Settings) -> Iterator[Database]:
    """A database that was prepared by this version of Annals. Raises Unavailable, Conflict."""
    from infra.postgres.database import Database, typed_errors
    from projections.registry import search_path

    with any_database(settings) as url, typed_errors():
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
    from infra.postgres.migrations import applied, migration_names

    with database.connect() as connection:
        done = applied(connection)
    if done != set(migration_names()):
        text = "The database was not prepared by this version of Annals: `annals serve` or `annals migrate` does that"
        raise Conflict(text)
