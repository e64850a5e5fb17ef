"""Rows in ClickHouse's Native format, and inserts of them: what the driver does in one, so that other processes can do
a part.

An insert is one block, however many pieces it is put together from: of a body with several, ClickHouse remembers under
the deduplication token how many there were, and takes the same rows again when they come in others.

The values are packed as soon as they are there, also for a ClickHouse on the same machine: what waits is a tenth to a
quarter as large, and that makes room for blocks with many rows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import lz4.frame  # type: ignore[import-untyped]
from clickhouse_connect.datatypes.base import ClickHouseType
from clickhouse_connect.datatypes.registry import get_from_name
from clickhouse_connect.driver.binding import quote_identifier
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.common import write_leb128
from clickhouse_connect.driver.insert import InsertContext

from domain.errors import Unavailable
from infra.clickhouse.client import ClickHouseRefused, leave_out_frames, typed_errors

TYPE_MISMATCH = 53

WRITTEN = "written_rows"
"""In the summary that ClickHouse gives with each answer. A proxy's own page, with whatever status, has none."""


@dataclass
class Encoded:
    """Rows, column by column: which of its values are NULL (a byte each; nothing for a column that has none), and the
    values, both as frames of LZ4. `bytes`: of all of it, unpacked.
    """

    rows: int
    bytes: int
    columns: list[tuple[bytearray, bytearray]]

    @property
    def packed_bytes(self) -> int:
        return sum(len(nulls) + len(values) for nulls, values in self.columns)

    def extend(self, other: Encoded) -> None:
        """By rows of the same columns."""
        self.rows += other.rows
        self.bytes += other.bytes
        for (nulls, values), (more_nulls, more_values) in zip(self.columns, other.columns, strict=True):
            nulls += more_nulls
            values += more_values


class Encoder:
    """For rows with these columns. `columns`: name → type, in the order of a row's values."""

    def __init__(self, columns: Mapping[str, str]) -> None:
        leave_out_frames()
        self._names = list(columns)
        self._types = [_plain(get_from_name(name)) for name in columns.values()]

    @property
    def nothing(self) -> Encoded:
        return Encoded(0, 0, [(bytearray(), bytearray()) for _ in self._names])

    def encode(self, rows: Sequence[tuple[Any, ...]]) -> Encoded:
        """Raises ClickHouseRefused, as a server would, for values that are not of their column's type."""
        context = InsertContext("", self._names, self._types)
        columns = zip(self._names, self._types, zip(*rows, strict=True), strict=True)
        pieces = [_column(context, *column) for column in columns]
        size = sum(len(nulls) + len(values) for nulls, values in pieces)
        return Encoded(len(rows), size, [(_packed(nulls), _packed(values)) for nulls, values in pieces])

    def insert(self, client: Client, table: str, encoded: Encoded, settings: Mapping[str, Any]) -> None:
        """Returns when ClickHouse has them. Raises Unavailable, also when something else answers in its place;
        ClickHouseRefused.
        """
        # As a list (which the driver passes on) they go out one after another, without a copy of all of them.
        body: Any = list(self._block(table, encoded))
        with typed_errors():
            answer = client.raw_insert("", insert_block=body, settings=dict(settings), compression="lz4")
        if WRITTEN not in answer.summary:
            raise Unavailable("What answers an insert in ClickHouse's place is not ClickHouse: it has no summary")

    def _block(self, table: str, encoded: Encoded) -> Iterator[bytearray]:
        """Frames: one behind another they are unpacked as if they were one."""
        statement = f"INSERT INTO {table} ({', '.join(map(quote_identifier, self._names))}) FORMAT Native\n"
        head = bytearray(statement.encode())
        write_leb128(len(self._names), head)
        write_leb128(encoded.rows, head)
        for name, kind, (nulls, values) in zip(self._names, self._types, encoded.columns, strict=True):
            for text in (name, kind.insert_name):
                write_leb128(len(text), head)
                head += text.encode()
            yield _packed(head) + nulls
            if values:
                yield values
            head = bytearray()


def _plain(kind: ClickHouseType) -> ClickHouseType:
    """A LowCardinality has a dictionary in front; what it is of can be put together, and ClickHouse converts it."""
    return get_from_name(kind.name.removeprefix("LowCardinality(").removesuffix(")")) if kind.low_card else kind


def _packed(piece: bytearray) -> bytearray:
    return bytearray(lz4.frame.compress(piece)) if piece else piece


def _column(
    context: InsertContext, name: str, kind: ClickHouseType, values: tuple[Any, ...]
) -> tuple[bytearray, bytearray]:
    encoded = bytearray()
    context.start_column(name)
    try:
        kind.write_column(values, encoded, context)
    except Exception as error:  # whatever the driver raises: from its own errors to those of struct
        raise ClickHouseRefused(f"A value of {name} can't be sent: {error}", TYPE_MISMATCH) from error
    nulls = len(values) if kind.nullable else 0
    return encoded[:nulls], encoded[nulls:]
