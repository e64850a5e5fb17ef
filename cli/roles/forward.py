"""A process that forwards the log to ClickHouse."""

from __future__ import annotations

from collections.abc import Callable

from cli.clickhouse_address import writer_url
from cli.roles.stopping import stop_event
from consumers.forwarder.forwarder import Forwarder
from infra.postgres.database import Database
from infra.settings import Settings


def run(settings: Settings, database_url: Callable[[], str]) -> None:
    """Until SIGTERM; then it sends what is in the log already."""
    database = Database(database_url(), 2)
    Forwarder(database, writer_url(settings)).run(stop_event())
    database.close()
