"""A campaign in ClickHouse, and a ClickHouse to do things to."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from urllib.parse import urlsplit

import psycopg
import pytest
from clickhouse_connect.driver.client import Client

from cli.bootstrap import connect as join
from domain.event import Event
from infra.clickhouse import schema
from infra.clickhouse.client import connect
from infra.clickhouse.process import EndpointProcess
from infra.eventlog.reader import LogReader

from ...campaign import Summary, simulate
from .steps import PASSWORD, insert, url_of


@dataclass(frozen=True)
class Campaign:
    """What was recorded, and what whoever counts must find."""

    events: list[Event]
    summary: Summary


@pytest.fixture(scope="package")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EndpointProcess]:
    with EndpointProcess(tmp_path_factory.mktemp("clickhouse"), PASSWORD) as endpoint:
        yield endpoint


@pytest.fixture(scope="package")
def campaign(postgres: str) -> Campaign:
    """A few people at work for two days."""
    name = f"campaign_{uuid.uuid4().hex}"
    with psycopg.connect(postgres, autocommit=True) as administrator:
        administrator.execute(f"CREATE DATABASE {name} TEMPLATE annals_template".encode())
        system = join(urlsplit(postgres)._replace(path=f"/{name}").geturl())
        try:
            summary = simulate(system, people=8, days=2, events=4_000, seed=7)
            with system.database.connect() as connection:
                events = list(LogReader().stream(connection, 0, 2**62))
        finally:
            system.close()
            administrator.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
    return Campaign(events, summary)


@pytest.fixture(scope="package")
def analysts(endpoint: EndpointProcess, campaign: Campaign) -> Iterator[Client]:
    """A client of a ClickHouse that holds the campaign. Only to be read from."""
    with closing(connect(url_of(endpoint))) as client:
        schema.migrate(client)
        insert(client, campaign.events)
        yield client


@pytest.fixture
def clickhouse(endpoint: EndpointProcess) -> Iterator[Client]:
    with closing(connect(url_of(endpoint))) as client:
        yield client


@pytest.fixture
def layout(clickhouse: Client) -> Iterator[schema.Layout]:
    """Fresh, empty tables in a database of their own."""
    layout = schema.Layout(f"test_{uuid.uuid4().hex}")
    schema.migrate(clickhouse, layout)
    yield layout
    clickhouse.command(f"DROP DATABASE {layout.database} SYNC")
