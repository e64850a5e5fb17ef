"""An embedded ClickHouse beside a server, for tests of what gets there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from clickhouse_connect.driver.client import Client as ClickHouse

from infra.clickhouse import schema
from infra.clickhouse.client import connect
from infra.clickhouse.process import EndpointProcess

PASSWORD = "writer's"


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EndpointProcess]:
    with EndpointProcess(tmp_path_factory.mktemp("clickhouse"), PASSWORD) as running:
        yield running


@pytest.fixture
def clickhouse(endpoint: EndpointProcess) -> Iterator[ClickHouse]:
    """With our tables, and nothing in them."""
    with closing(connect(f"http://forwarder:writer%27s@{endpoint.host}:{endpoint.port}")) as client:
        schema.migrate(client)
        for table in ("events", *schema.tables()):
            client.command(f"TRUNCATE TABLE cvat.{table}")
        yield client
