"""The forwarder's sink: `cvat.events` in ClickHouse."""

from __future__ import annotations

from clickhouse_connect.datatypes.registry import get_from_name
from clickhouse_connect.driver.client import Client

from consumers.forwarder import inventory
from consumers.forwarder.batch import COLUMNS, Batch
from consumers.forwarder.inventory import EVERYTHING, Inventory
from infra.clickhouse import client as clickhouse
from infra.clickhouse import schema
from infra.clickhouse.client import typed_errors

TABLE = "cvat.events"

INSERT_SETTINGS = {
    # Answered when the part is written, not when the server has put it aside for later.
    "async_insert": 0,
    # One block, so one part, which is there whole or not at all.
    "min_insert_block_size_rows": 1_000_000,
    "min_insert_block_size_bytes": 256 * 1024 * 1024,
}


class ClickHouseSink:
    """One connection to ClickHouse. Not thread-safe. Everything raises Unavailable, ClickHouseRefused."""

    def __init__(self, url: str) -> None:
        self.client: Client = clickhouse.connect(url)
        self._types = [get_from_name(name) for name in COLUMNS.values()]

    def migrate(self) -> None:
        schema.migrate(self.client)

    def insert(self, batch: Batch, token: str) -> None:
        """Returns when ClickHouse has the rows. A token that it has seen lately changes nothing."""
        settings = {**INSERT_SETTINGS, "insert_deduplication_token": token}
        with typed_errors():
            self.client.insert(
                TABLE,
                batch.columns(),
                list(COLUMNS),
                column_types=self._types,
                column_oriented=True,
                settings=settings,
            )

    def inventory(self) -> Inventory:
        """Of all that is there."""
        return inventory.take(self.client, 0, EVERYTHING)

    def whole_until(self, highest: int) -> int:
        """Up to which position every event is there exactly once."""
        wrong = inventory.first_wrong(self.client, 0, highest)
        return highest if wrong is None else wrong - 1

    def delete_after(self, position: int) -> None:
        with typed_errors():
            self.client.command(
                f"ALTER TABLE {TABLE} DELETE WHERE position > {{position:UInt64}}",
                parameters={"position": position},
                settings={"mutations_sync": 2},
            )

    def close(self) -> None:
        self.client.close()
