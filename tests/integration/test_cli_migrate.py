"""What a distributed deployment starts with: `annals migrate`, secrets in files, log-ins that may not migrate."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from cli.rebuilding import ensure_prepared
from domain.errors import Conflict
from infra.clickhouse.client import connect
from infra.clickhouse.process import EndpointProcess
from infra.postgres.embedded import EmbeddedPostgres

from .databases import BARE, new_database

REPOSITORY = Path(__file__).parents[2]
PASSWORD = "first-password-of-all"

Migrate = Callable[[], subprocess.Popen[str]]


@pytest.fixture
def bare(postgres: str) -> Iterator[str]:
    """A database that nobody has prepared."""
    with new_database(postgres, BARE) as url:
        yield url


@pytest.fixture
def secrets(bare: str, tmp_path: Path) -> Path:
    """A folder of files, as Docker and Kubernetes mount secrets."""
    folder = tmp_path / "secrets"
    folder.mkdir()
    (folder / "annals_database_url").write_text(f"{bare}\n")
    (folder / "annals_admin_password").write_text(f"{PASSWORD}\n")
    return folder


@pytest.fixture
def migrate(secrets: Path, data_folder: Path) -> Migrate:
    """Starts `annals migrate`, which knows nothing but the secrets."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("ANNALS_")}
    environment |= {"ANNALS_SECRETS_DIR": str(secrets), "ANNALS_DATA": str(data_folder), "PYTHONPATH": str(REPOSITORY)}

    def start() -> subprocess.Popen[str]:
        command = [sys.executable, "-P", "-m", "cli.main", "migrate"]
        return subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=data_folder.parent,
        )

    return start


def finish(process: subprocess.Popen[str]) -> str:
    said, _ = process.communicate(timeout=300)
    assert process.returncode == 0, said
    return said


def value(url: str, statement: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(statement.encode()).fetchone()
    return row[0] if row else None


def test_several_at_once_do_it_once(bare: str, migrate: Migrate, data_folder: Path) -> None:
    said = [finish(process) for process in [migrate() for _ in range(3)]]
    assert value(bare, "SELECT count(*) FROM log.events WHERE type = 'UserRegistered'") == 1
    assert sum("projections built: none" in text for text in said) == 2
    ensure_prepared(EmbeddedPostgres.as_service(bare))
    assert PASSWORD not in "".join(said)
    assert not data_folder.exists(), "nothing is kept beside the database"


def test_it_prepares_clickhouse_too(migrate: Migrate, secrets: Path, tmp_path: Path) -> None:
    with EndpointProcess(tmp_path / "clickhouse", "secret") as endpoint:
        url = f"http://forwarder:secret@127.0.0.1:{endpoint.port}/cvat"
        (secrets / "annals_clickhouse_url").write_text(url)
        assert "ClickHouse is ready: clickhouse" in finish(migrate())
        with closing(connect(url)) as client:
            assert client.command("SELECT count() FROM cvat.events") == 0


def test_the_services_log_in_waits_for_somebody_who_may(bare: str) -> None:
    service = EmbeddedPostgres.as_service(bare)
    with pytest.raises(Conflict, match="annals migrate"):
        ensure_prepared(service)
    ensure_prepared(bare)
    ensure_prepared(service)


def test_a_database_of_a_later_version_will_do_and_one_of_an_earlier_will_not(database_url: str) -> None:
    service = EmbeddedPostgres.as_service(database_url)
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("INSERT INTO public.annals_migrations VALUES ('9999_later.sql')")
        ensure_prepared(service)
        connection.execute("DELETE FROM public.annals_migrations WHERE name = '0001_log.sql'")
        with pytest.raises(Conflict, match="annals migrate"):
            ensure_prepared(service)


def test_the_environment_goes_before_a_file(secrets: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cli.options import read_settings

    monkeypatch.setenv("ANNALS_SECRETS_DIR", str(secrets))
    assert read_settings(None).admin_password == PASSWORD
    monkeypatch.setenv("ANNALS_ADMIN_PASSWORD", "another")
    assert read_settings(None).admin_password == "another"


def test_a_folder_of_secrets_that_is_not_there_is_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from cli.options import read_settings

    monkeypatch.setenv("ANNALS_SECRETS_DIR", str(tmp_path / "missing"))
    assert read_settings(None).database_url is None
