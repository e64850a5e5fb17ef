"""What the tests of the analytics tables do: send rows as the forwarder does, and look."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from clickhouse_connect.driver.client import Client

from consumers.forwarder.rows import COLUMNS, table_rows
from consumers.forwarder.sinks.clickhouse import INSERT_SETTINGS
from domain.event import Body, Event, Metadata
from infra.clickhouse.process import EndpointProcess
from infra.clickhouse.schema import DEFAULT, Layout, tables

PASSWORD = "forwarder's"


def url_of(endpoint: EndpointProcess) -> str:
    return f"http://forwarder:{PASSWORD}@127.0.0.1:{endpoint.port}/cvat"


def recorded(bodies: Sequence[tuple[float, Body]], start: datetime, actor_id: int | None = 5) -> list[Event]:
    """Events at so many seconds after `start`, from position 1 on."""
    name = None if actor_id is None else "ann"
    return [
        Event(body.stream, 1, body, Metadata(start + timedelta(seconds=seconds), "api", actor_id, name), position)
        for position, (seconds, body) in enumerate(bodies, 1)
    ]


def insert(client: Client, events: Sequence[Event], layout: Layout = DEFAULT, token: str = "all") -> None:
    rows = [row for event in events for row in table_rows(event)]
    client.insert(
        f"{layout.database}.events",
        list(zip(*rows, strict=True)),
        list(COLUMNS),
        column_type_names=list(COLUMNS.values()),
        column_oriented=True,
        settings={**INSERT_SETTINGS, "insert_deduplication_token": token},
    )


def rows(client: Client, statement: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in client.query(statement).result_rows]


def counts(client: Client, layout: Layout = DEFAULT) -> dict[str, int]:
    """Rows of each table, without FINAL."""
    return {name: int(client.command(f"SELECT count() FROM {layout.database}.{name}")) for name in tables(layout)}


def contents(client: Client, layout: Layout, name: str) -> list[tuple[Any, ...]]:
    return rows(client, f"SELECT * FROM {layout.database}.{name} ORDER BY ALL")
