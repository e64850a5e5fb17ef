"""How commands find their database, with a server and without."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from infra.postgres.embedded import EmbeddedPostgres

from .conftest import Annals

EMBEDDED = {"ANNALS_DATABASE_URL": ""}


@pytest.fixture
def stopped(data_folder: Path) -> Path:
    """A data folder that holds a prepared database, which does not run."""
    from cli.rebuilding import prepare

    server = EmbeddedPostgres(data_folder / "postgres")
    prepare(server.start())
    server.stop()
    return data_folder


def test_the_url_is_that_of_the_settings(annals: Annals, database_url: str) -> None:
    printed = annals("database-url")
    assert (printed.returncode, printed.stdout) == (0, f"{database_url}\n")


def test_the_url_of_the_embedded_database_leads_there(annals: Annals, stopped: Path) -> None:
    with EmbeddedPostgres(stopped / "postgres").attach_or_start():
        url = annals("database-url", **EMBEDDED).stdout.strip()
        with psycopg.connect(url) as connection:
            assert connection.execute("SELECT count(*) FROM log.events").fetchone() == (0,)


def test_asking_for_the_url_starts_nothing(annals: Annals, stopped: Path) -> None:
    refused = annals("database-url", **EMBEDDED)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == f"annals: The database in {stopped} is not running: `annals serve` starts it\n"
    assert EmbeddedPostgres(stopped / "postgres").running_url() is None


def test_a_command_starts_the_embedded_database_for_itself_and_stops_it(annals: Annals, stopped: Path) -> None:
    made = annals("user", "create", "ada", "--password-stdin", stdin="correct horse", **EMBEDDED)
    assert (made.returncode, made.stdout) == (0, "User 1 is ada\n")
    assert EmbeddedPostgres(stopped / "postgres").running_url() is None
    assert "ada" in annals("user", "list", **EMBEDDED).stdout


def test_a_command_leaves_a_running_database_alone(annals: Annals, stopped: Path) -> None:
    server = EmbeddedPostgres(stopped / "postgres")
    url = server.start()
    try:
        assert annals("user", "list", **EMBEDDED).returncode == 0
        assert server.running_url() == url
    finally:
        server.stop()


def test_a_folder_without_data_is_left_as_it_is(annals: Annals, data_folder: Path) -> None:
    refused = annals("user", "list", **EMBEDDED)
    assert refused.returncode == 1
    assert refused.stderr.startswith(f"annals: There is no Annals data in {data_folder}: ")
    assert not data_folder.exists()


def test_a_database_that_was_not_prepared_is_refused(annals: Annals, database_url: str) -> None:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("INSERT INTO public.annals_migrations (name) VALUES ('9999_of_the_future.sql')")
    newer = annals("user", "list")
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("DROP TABLE public.annals_migrations")
    older = annals("user", "list")
    message = "The database was not prepared by this version of Annals: `annals serve` or `annals migrate` does that"
    assert [(one.returncode, one.stderr) for one in (newer, older)] == [(1, f"annals: {message}\n")] * 2


def test_a_database_that_does_not_answer_is_said_without_its_password(annals: Annals) -> None:
    url = "postgresql://someone:topsecret@127.0.0.1:1/nowhere"
    silent = annals("user", "list", ANNALS_DATABASE_URL=url)
    assert silent.returncode == 1
    assert silent.stderr.startswith("annals: PostgreSQL does not answer: ")
    assert "topsecret" not in silent.stderr


def test_a_setting_that_is_not_acceptable_is_a_wrong_command_line(annals: Annals) -> None:
    refused = annals("user", "list", ANNALS_PORT="eighty")
    assert refused.returncode == 2
    assert "ANNALS_PORT" in refused.stderr
