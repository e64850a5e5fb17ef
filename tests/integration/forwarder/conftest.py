"""A ClickHouse without rows, beside a log without events."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from clickhouse_connect.driver.client import Client

from cli.bootstrap import System
from infra.clickhouse import schema
from infra.clickhouse.client import connect
from infra.clickhouse.process import EndpointProcess
from infra.postgres.database import Database

from .steps import LAYOUT, PASSWORD, TABLE, empty_tables, url_of


@pytest.fixture(scope="module")
def shared_endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EndpointProcess]:
    with EndpointProcess(tmp_path_factory.mktemp("clickhouse"), PASSWORD) as endpoint:
        yield endpoint


@pytest.fixture
def clickhouse(shared_endpoint: EndpointProcess) -> Iterator[Client]:
    """The writer's client of a ClickHouse without rows."""
    with closing(connect(url_of(shared_endpoint))) as client:
        empty_tables(client)
        yield client


@pytest.fixture
def unmerged(clickhouse: Client) -> Iterator[None]:
    """What stands in the table twice stays so until somebody asks for a merge."""
    setting = "max_bytes_to_merge_at_max_space_in_pool"
    schema.migrate(clickhouse, LAYOUT)
    clickhouse.command(f"ALTER TABLE {TABLE} MODIFY SETTING {setting} = 1")
    yield
    clickhouse.command(f"ALTER TABLE {TABLE} RESET SETTING {setting}")


@pytest.fixture
def url(shared_endpoint: EndpointProcess, clickhouse: Client) -> str:
    return url_of(shared_endpoint)


@pytest.fixture
def log(system: System) -> Database:
    return system.database
