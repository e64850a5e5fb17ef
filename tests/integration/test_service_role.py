"""The service may add to the log and read it. Nobody changes it: the service cannot, and the owner has to mean it."""

from __future__ import annotations

from collections.abc import Iterator

import psycopg
import pytest
from psycopg import Connection
from psycopg.errors import InsufficientPrivilege

from cli.bootstrap import System, connect
from infra.postgres.embedded import EmbeddedPostgres

from .histories import BEGINNING, STEPS, History

CHANGES = [
    "UPDATE log.events SET actor = 'somebody else'",
    "DELETE FROM log.events",
    "TRUNCATE log.events",
]
REFUSED = [
    *CHANGES,
    "DROP TABLE log.events",
    "ALTER TABLE log.events DISABLE TRIGGER append_only",
    "SET session_replication_role = replica",
    "DROP TRIGGER append_only ON log.events",
    "CREATE OR REPLACE FUNCTION log.refuse_change() RETURNS trigger LANGUAGE sql AS 'SELECT NULL::trigger'",
    "CREATE TABLE log.more (id int)",
    "UPDATE log.projections SET version = 1; DELETE FROM log.projections",
    "SET ROLE postgres",
]


@pytest.fixture
def service_url(database_url: str) -> str:
    url = EmbeddedPostgres.as_service(database_url)
    assert url != database_url
    return url


@pytest.fixture
def service(service_url: str) -> Iterator[System]:
    """The application, as it runs in the service."""
    system = connect(service_url)
    yield system
    system.close()


def events(connection: Connection[tuple[int]]) -> int:
    row = connection.execute("SELECT count(*) FROM log.events").fetchone()
    assert row is not None
    return row[0]


def test_the_service_does_everything_that_people_do(service: System) -> None:
    History(service).live(BEGINNING * 2 + [(step, number) for number in range(3) for step in STEPS])
    row = service.database.query_one("SELECT current_user AS me, count(*) AS events FROM log.events")
    assert row is not None
    assert row["me"] == "annals_service"
    assert row["events"] > 30


@pytest.mark.parametrize("statement", REFUSED)
def test_the_service_can_not_change_the_log(service: System, service_url: str, statement: str) -> None:
    History(service).live(BEGINNING)
    with psycopg.connect(service_url, autocommit=True) as connection:
        before = events(connection)
        with pytest.raises(InsufficientPrivilege):
            connection.execute(statement.encode())
        assert events(connection) == before > 0


@pytest.mark.parametrize("statement", CHANGES)
def test_the_owner_does_not_change_the_log_by_mistake(system: System, database_url: str, statement: str) -> None:
    History(system).live(BEGINNING)
    with psycopg.connect(database_url, autocommit=True) as connection:
        before = events(connection)
        with pytest.raises(InsufficientPrivilege, match=r"The event log is append-only: [A-Z]+ is refused"):
            connection.execute(statement.encode())
        assert events(connection) == before > 0
