"""Questions to ClickHouse that read, and no more: whoever asks, whatever is asked."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing

import pytest

from domain.errors import Unavailable
from infra.clickhouse import reader as limits
from infra.clickhouse.client import connect
from infra.clickhouse.process import EndpointProcess
from infra.clickhouse.reader import ClickHouseReader, Found

PASSWORD = "forwarder's"
WRITER = f"forwarder:{PASSWORD}@"


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Of a ClickHouse with one table of one row."""
    with EndpointProcess(tmp_path_factory.mktemp("clickhouse"), PASSWORD) as endpoint:
        address = f"127.0.0.1:{endpoint.port}"
        with closing(connect(f"http://{WRITER}{address}")) as client:
            client.command("CREATE DATABASE shelf")
            client.command("CREATE TABLE shelf.kept (n UInt8) ENGINE = MergeTree ORDER BY n")
            client.command("INSERT INTO shelf.kept SELECT 7")
        yield address


@pytest.fixture(params=["", WRITER], ids=["anonymous", "with the writer's password"])
def reader(address: str, request: pytest.FixtureRequest) -> Iterator[ClickHouseReader]:
    with closing(ClickHouseReader(f"http://{request.param}{address}")) as reader:
        yield reader


def test_an_answer_has_columns_and_rows(reader: ClickHouseReader) -> None:
    found = reader.ask("SELECT n, {text:String} AS text FROM shelf.kept", {"text": "' OR 1 --"})
    assert found == Found(["n", "text"], [[7, "' OR 1 --"]])


@pytest.mark.parametrize(
    "statement",
    ["INSERT INTO shelf.kept SELECT 8", "ALTER TABLE shelf.kept DELETE WHERE 1", "DROP TABLE shelf.kept",
     "TRUNCATE TABLE shelf.kept", "CREATE TABLE shelf.another (n UInt8) ENGINE = Memory"],
)  # fmt: skip
def test_nothing_is_written(reader: ClickHouseReader, statement: str) -> None:
    with pytest.raises(Unavailable):
        reader.ask(statement, {})
    assert reader.ask("SELECT * FROM shelf.kept", {}).rows == [[7]]


@pytest.mark.parametrize(
    "statement",
    ["SELECT number FROM numbers(1000000)", "SELECT * FROM shelf.unknown", "SELECT", "SELECT * FROM nowhere.kept"],
)
def test_what_cannot_be_answered_is_not_explained(reader: ClickHouseReader, statement: str) -> None:
    with pytest.raises(Unavailable) as refused:
        reader.ask(statement, {})
    assert "ClickHouse" in refused.value.message
    assert "SELECT" not in refused.value.message


def test_nobody_asks_for_long(reader: ClickHouseReader, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limits.SETTINGS, "max_execution_time", 1)
    with pytest.raises(Unavailable, match="could not answer"):
        reader.ask("SELECT sum(cityHash64(number, number)) FROM numbers(1000000000000)", {})


def test_whoever_finds_all_turns_taken_is_told_soon(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "WAIT_SECONDS", 0.05)
    with closing(ClickHouseReader(f"http://{address}")) as reader:
        with ExitStack() as others:
            for _ in range(limits.AT_ONCE):  # who ask, and are not answered yet
                others.enter_context(reader._turn())
            with pytest.raises(Unavailable, match="busy"):
                reader.ask("SELECT 1", {})
        with ThreadPoolExecutor(limits.AT_ONCE) as threads:
            asked = [threads.submit(reader.ask, "SELECT 1", {}) for _ in range(limits.AT_ONCE)]
            assert [one.result().rows for one in asked] == [[[1]]] * limits.AT_ONCE
