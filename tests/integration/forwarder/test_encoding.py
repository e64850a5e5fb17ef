"""Rows as blocks, sent to a ClickHouse: put together from any pieces; and what can't be a value."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from clickhouse_connect.driver.client import Client

from consumers.forwarder.sinks.refusals import ABOUT_DATA
from infra.clickhouse import client as clickhouse_client
from infra.clickhouse.client import ClickHouseRefused
from infra.clickhouse.encoding import Encoded, Encoder

COLUMNS = {"number": "UInt64", "name": "Nullable(String)", "kind": "LowCardinality(String)"}
ENCODER = Encoder(COLUMNS)
ROWS = [(n, str(n) if n % 3 else None, "odd" if n % 2 else "even") for n in range(5_000)]
ONE_PART = {"async_insert": 0, "min_insert_block_size_rows": 1_000_000, "min_insert_block_size_bytes": 2**28}


@pytest.fixture
def table(clickhouse: Client) -> Iterator[str]:
    columns = ", ".join(f"{name} {kind}" for name, kind in COLUMNS.items())
    settings = "non_replicated_deduplication_window = 100"
    clickhouse.command(f"CREATE TABLE cvat.numbers ({columns}) ENGINE = MergeTree ORDER BY number SETTINGS {settings}")
    yield "cvat.numbers"
    clickhouse.command("DROP TABLE cvat.numbers SYNC")


def encoded(size: int) -> Encoded:
    """All rows, put together from pieces of so many."""
    first, *others = (ENCODER.encode(ROWS[start : start + size]) for start in range(0, len(ROWS), size))
    for other in others:
        first.extend(other)
    return first


@pytest.mark.parametrize("sizes", [(5_000, 700), (700, 5_000), (700, 33)])
def test_the_same_rows_under_the_same_token_are_taken_once_from_whatever_pieces(
    sizes: tuple[int, int], url: str, table: str
) -> None:
    with closing(clickhouse_client.connect(url)) as client:
        for size in sizes:
            ENCODER.insert(client, table, encoded(size), {**ONE_PART, "insert_deduplication_token": "the same"})
            assert client.query(f"SELECT * FROM {table} ORDER BY number").result_rows == ROWS
        ENCODER.insert(client, table, encoded(700), {**ONE_PART, "insert_deduplication_token": "another"})
        assert client.query(f"SELECT count() FROM {table}").result_rows == [(2 * len(ROWS),)]


@pytest.mark.parametrize(
    "row",
    [(-1, "below", ""), (2**64, "above", ""), (None, "nothing", ""), ("one", "word", ""), (1, 2, ""), (1, "", None)],
)
def test_a_value_that_its_column_cannot_hold_is_refused_as_a_server_would(row: tuple[object, ...]) -> None:
    with pytest.raises(ClickHouseRefused) as refused:
        ENCODER.encode([ROWS[0], row])
    assert refused.value.code in ABOUT_DATA
