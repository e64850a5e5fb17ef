"""The sink that analysts query: `events` in ClickHouse."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from clickhouse_connect.driver.client import Client

from consumers.forwarder.batch import Batch
from consumers.forwarder.dead_letters import DeadLetter
from consumers.forwarder.proof import inventory
from consumers.forwarder.proof.inventory import EVERYTHING, Expected, Inventory
from consumers.forwarder.rows import COLUMNS, TableRow
from consumers.forwarder.sinks.refusals import apart
from infra.clickhouse import client as clickhouse
from infra.clickhouse import schema
from infra.clickhouse.client import ClickHouseRefused
from infra.clickhouse.encoding import Encoded, Encoder

INSERT_SETTINGS = {
    # Answered when the part is written, not when the server has put it aside for later.
    "async_insert": 0,
    # The status tells how it ended, not how it began.
    "wait_end_of_query": 1,
    # One block, so one part, which is there whole or not at all.
    "min_insert_block_size_rows": 1_000_000,
    "min_insert_block_size_bytes": 256 * 1024 * 1024,
    # A batch that is sent twice leaves the tables behind `events` alone, too.
    "deduplicate_blocks_in_dependent_materialized_views": 1,
    # They are filled side by side: one after another, each would wait for the disk by itself.
    "parallel_view_processing": 1,
}


class ClickHouseSink:
    """One connection to ClickHouse. Not thread-safe. Everything raises Unavailable, ClickHouseRefused."""

    def __init__(self, url: str, layout: schema.Layout) -> None:
        self.client: Client = clickhouse.connect(url)
        self.layout = layout
        self._table = f"{layout.database}.events"
        self._encoder = Encoder(COLUMNS)

    def migrate(self) -> None:
        schema.migrate(self.client, self.layout)

    def insert(self, batch: Batch, token: str) -> Sequence[DeadLetter]:
        """Returns when ClickHouse has the rows. A token that it has seen lately changes nothing. A refused batch that
        is encoded already raises the refusal: cut again from the same run, it has rows, and the fault can be found.
        """
        if batch.encoded:
            self._send(batch.encoded, token)
            return ()
        try:
            self._put(batch.rows, token)
        except ClickHouseRefused as error:
            return apart(batch.rows, token, error, self._put, self._answers)
        return ()

    def inventory(self, after: int = 0) -> Inventory:
        """Of all that is there behind this position."""
        return inventory.take(self.client, self.layout.database, after, EVERYTHING)

    def held(self, positions: Collection[int]) -> set[int]:
        """Those of which rows are there."""
        return inventory.held(self.client, self.layout.database, positions)

    def is_empty(self) -> bool:
        """Whether no table has a row."""
        return schema.is_empty(self.client, self.layout)

    def whole_until(self, expected: Expected, highest: int) -> int:
        """Up to which position every event is there exactly once."""
        wrong = inventory.first_wrong(self.client, self.layout.database, expected, highest)
        return highest if wrong is None else wrong - 1

    def delete(self, after: int, until: int = EVERYTHING) -> None:
        """The rows of `after` < position <= `until`."""
        condition = "position > {after:UInt64} AND position <= {until:UInt64}"
        schema.delete(self.client, self.layout, condition, {"after": after, "until": until})

    def complete(self, after: int) -> None:
        """The tables beside `events` get what they lack of the positions behind `after`."""
        schema.complete(self.client, self.layout, after)

    def close(self) -> None:
        self.client.close()

    def _put(self, rows: Sequence[TableRow], token: str) -> None:
        self._send(self._encoder.encode(rows), token)

    def _send(self, encoded: Encoded, token: str) -> None:
        settings = {**INSERT_SETTINGS, "insert_deduplication_token": token}
        self._encoder.insert(self.client, self._table, encoded, settings)

    def _answers(self) -> bool:
        """Whether an insert of nothing is taken: then it is not for everything that one is refused."""
        try:
            self._encoder.insert(self.client, self._table, self._encoder.nothing, INSERT_SETTINGS)
        except ClickHouseRefused:
            return False
        return True
