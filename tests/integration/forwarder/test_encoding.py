"""Rows as blocks, sent to a ClickHouse: what is packed and what is not, and what can't be a value."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing

import pytest
from clickhouse_connect.driver.client import Client

from consumers.forwarder.sinks.refusals import ABOUT_DATA
from infra.clickhouse import client as clickhouse_client
from infra.clickhouse.client import ClickHouseRefused
from infra.clickhouse.encoding import Encoder, insert

ENCODER = Encoder({"number": "UInt64", "name": "Nullable(String)"})


@pytest.fixture
def table(clickhouse: Client) -> Iterator[str]:
    clickhouse.command("CREATE TABLE cvat.numbers (number UInt64, name Nullable(String)) ENGINE = Memory")
    yield "cvat.numbers"
    clickhouse.command("DROP TABLE cvat.numbers")


@pytest.mark.parametrize("packing", [None, "lz4"])
def test_blocks_one_after_another_are_one_insert(
    packing: str | None, url: str, table: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if packing:
        monkeypatch.setattr(clickhouse_client, "LOOPBACK", ())
    blocks = [ENCODER.block([(n, str(n) if n % 3 else None) for n in range(k, k + 500)]) for k in range(0, 5_000, 500)]
    with closing(clickhouse_client.connect(url)) as client:
        assert client.write_compression == packing
        insert(client, table, ENCODER.names, blocks, {})
        found = client.query(f"SELECT count(), sum(number), countIf(name IS NULL) FROM {table}").result_rows
    assert found == [(5_000, sum(range(5_000)), 1_667)]


@pytest.mark.parametrize("row", [(-1, "below"), (2**64, "above"), (None, "nothing"), ("one", "a word"), (1, 2)])
def test_a_value_that_its_column_cannot_hold_is_refused_as_a_server_would(row: tuple[object, object]) -> None:
    with pytest.raises(ClickHouseRefused) as refused:
        ENCODER.block([(1, "one"), row])
    assert refused.value.code in ABOUT_DATA
