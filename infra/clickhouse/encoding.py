"""Rows in ClickHouse's Native format, and inserts of them: the two halves of what the driver does in one, so that
another process can do the first.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from clickhouse_connect.datatypes.registry import get_from_name
from clickhouse_connect.driver.binding import quote_identifier
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.compression import get_compressor
from clickhouse_connect.driver.insert import InsertContext
from clickhouse_connect.driver.transform import NativeTransform

from infra.clickhouse.client import ClickHouseRefused, leave_out_frames, typed_errors

TYPE_MISMATCH = 53


class Encoder:
    """For rows with these columns. `columns`: name → type, in the order of a row's values."""

    def __init__(self, columns: Mapping[str, str]) -> None:
        leave_out_frames()
        self.names = list(columns)
        self._types = [get_from_name(name) for name in columns.values()]

    def block(self, rows: Sequence[tuple[Any, ...]]) -> bytes:
        """One block; blocks one after another are an insert. Raises ClickHouseRefused, as a server would, for values
        that are not of their column's type.
        """
        columns = [list(column) for column in zip(*rows, strict=True)]
        context = InsertContext("", self.names, self._types, columns, column_oriented=True, block_size=len(rows))
        text = b"".join(NativeTransform.build_insert(context))
        # The driver leaves them in a reference cycle: ten batches would pile up before the collector came round.
        for column in columns:
            column.clear()
        if context.insert_exception is not None:
            raise ClickHouseRefused(f"A value can't be sent: {context.insert_exception}", TYPE_MISMATCH)
        _statement, _, block = text.partition(b"\n")
        return block


def insert(
    client: Client, table: str, names: Sequence[str], blocks: Sequence[bytes], settings: Mapping[str, Any]
) -> None:
    """Returns when ClickHouse has them. Raises Unavailable, ClickHouseRefused."""
    statement = f"INSERT INTO {table} ({', '.join(map(quote_identifier, names))}) FORMAT Native\n".encode()
    packing = client.write_compression
    compress = get_compressor(packing).compress_block  # lz4, as we ask for: whole with each block
    with typed_errors():
        # As a list (which the driver passes on) they go out one after another, without a copy of all of them.
        body: Any = [compress(piece) for piece in (statement, *blocks)]
        client.raw_insert("", insert_block=body, settings=dict(settings), compression=packing)
