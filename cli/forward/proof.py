"""What `annals verify` says of ClickHouse."""

from __future__ import annotations

import time
from contextlib import closing

from clickhouse_connect.driver.client import Client
from psycopg import Connection
from psycopg.rows import DictRow

from cli.clickhouse_address import any_clickhouse
from cli.serving.server_file import running_server
from consumers.forwarder import inventory
from consumers.forwarder.check import compare
from consumers.forwarder.checkpoint import CONSUMER, Checkpoint
from consumers.forwarder.inventory import Expected
from consumers.forwarder.means import expected
from domain.errors import AnnalsError
from infra.clickhouse.client import connect
from infra.clickhouse.schema import Layout
from infra.postgres.database import Database
from infra.settings import Settings
from projections.finding import Finding

LOOK_SECONDS = 0.1


def clickhouse_finding(settings: Settings, database: Database, head: int, wait: float) -> Finding:
    """Waits at most so many seconds for what is on its way. Up to `head`; or, when no server runs that would forward
    the rest, as far as events were forwarded.
    """
    until = head
    try:
        with (
            any_clickhouse(settings) as url,
            database.connect() as connection,
            closing(connect(url)) as client,
        ):
            layout = Layout.of(settings)
            wanted = expected(connection, CONSUMER, layout)
            if head and settings.kafka_url is not None:
                _wait_for_rows(client, layout, wanted, head, wait)
            else:
                running = running_server(settings.run) is not None
                forwarded = _wait_for_forwarder(connection, head, wait if running else 0.0)
                until = head if running else min(head, forwarded)
            found = compare(connection, client, layout, wanted, until)
            return Finding("ClickHouse", _measure(until, head), found.difference)
    except AnnalsError as error:
        return Finding("ClickHouse", _measure(until, head), error.message)


def _measure(until: int, head: int) -> str:
    return f"positions 1 to {until:,}" + (f", {head - until:,} not forwarded yet" if until < head else "")


def _wait_for_forwarder(connection: Connection[DictRow], head: int, seconds: float) -> int:
    """Returns how far ClickHouse has acknowledged."""
    deadline, checkpoint = time.monotonic() + seconds, Checkpoint(connection, CONSUMER)
    while (position := checkpoint.acknowledged()) < head and time.monotonic() < deadline:
        time.sleep(LOOK_SECONDS)
    return position


def _wait_for_rows(client: Client, layout: Layout, wanted: Expected, head: int, seconds: float) -> None:
    """What comes by Kafka comes in no order, so nothing but the rows tells how far it is."""
    deadline = time.monotonic() + seconds
    while inventory.take(client, layout.database, wanted.floor, head).positions < wanted.count(wanted.floor, head):
        if time.monotonic() > deadline:
            return
        time.sleep(LOOK_SECONDS)
