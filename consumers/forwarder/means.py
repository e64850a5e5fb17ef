"""What routes are followed and looked after with, and what follows from it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from clickhouse_connect.driver.client import Client
from psycopg import Connection
from psycopg.rows import DictRow

from consumers.forwarder import dead_letters
from consumers.forwarder.buffer import Room, own_folder
from consumers.forwarder.proof.expiry import expired
from consumers.forwarder.proof.inventory import Expected
from consumers.forwarder.topology import Route
from infra.clickhouse.schema import Layout
from infra.postgres.database import Database

if TYPE_CHECKING:
    from infra.kafka.configuration import KafkaConfiguration


@dataclass(frozen=True)
class Means:
    """What routes are opened with. `clickhouse_url`: of a user who may create, alter and insert; `folder`: where
    buffers may lie; `key`: for redaction; `kafka`: None when there is none.
    """

    database: Database
    clickhouse_url: str
    folder: Path
    layout: Layout
    kafka: KafkaConfiguration | None = None
    key: bytes | None = None

    def room(self, route: Route) -> Room:
        buffer = route.sink.buffer
        return Room(buffer.memory, buffer.disk, own_folder(self.folder / route.name) if buffer.disk else None)


def expected(connection: Connection[DictRow], client: Client, route: Route, layout: Layout, after: int = 0) -> Expected:
    """What a route's ClickHouse has to hold of the positions behind `after`. Raises Unavailable, ClickHouseRefused."""
    floor, gone = expired(connection, client, layout, after)
    return Expected(floor, dead_letters.positions(connection, route.consumer), gone, streams=route.keeps_streams)
