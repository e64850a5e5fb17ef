"""clickhouse-connect, synchronous and asynchronous, with frames, raw streams and external tables."""

from __future__ import annotations

import asyncio
import io
import threading
from collections.abc import Iterator
from typing import Any

import clickhouse_connect
import httpx
import numpy
import pandas as pd  # type: ignore[import-untyped]
import pyarrow  # type: ignore[import-untyped]
import pyarrow.parquet  # type: ignore[import-untyped]
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError
from clickhouse_connect.driver.external import ExternalData

from infra.clickhouse.process import EndpointProcess

from ..waiting import wait_until

PASSWORD = "writer's"


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EndpointProcess]:
    with EndpointProcess(tmp_path_factory.mktemp("clickhouse"), PASSWORD) as running:
        yield running


def client_of(endpoint: EndpointProcess, **options: Any) -> Client:
    return clickhouse_connect.get_client(host="127.0.0.1", port=endpoint.port, **options)


@pytest.fixture(scope="module")
def writer(endpoint: EndpointProcess) -> Client:
    return client_of(endpoint, username="forwarder", password=PASSWORD)


@pytest.fixture(scope="module")
def reader(endpoint: EndpointProcess) -> Client:
    return client_of(endpoint)


@pytest.mark.parametrize("compress", ["lz4", "zstd", "gzip", "br", False])
def test_the_asynchronous_client(endpoint: EndpointProcess, writer: Client, compress: str | bool) -> None:
    table = f"asked_{compress}".lower()
    writer.command(f"CREATE TABLE {table} (n UInt64, s String) ORDER BY n")

    async def run() -> None:
        place = {"host": "127.0.0.1", "port": endpoint.port, "compress": compress}
        written = await clickhouse_connect.get_async_client(**place, username="forwarder", password=PASSWORD)
        async with written, await clickhouse_connect.get_async_client(**place) as client:
            await written.insert(table, [[n, "x" * 50] for n in range(5_000)], ["n", "s"])
            assert await client.ping()
            one = client.query(f"SELECT count(), {{a:String}} FROM {table}", parameters={"a": "it's"})
            many = client.query(f"SELECT * FROM {table} ORDER BY n", settings={"max_block_size": 1000})
            assert (await one).result_rows == [(5_000, "it's")]
            assert (await many).result_rows[-1] == (4_999, "x" * 50)
            assert (await client.query_df(f"SELECT sum(n) AS n FROM {table}"))["n"][0] == 12_497_500
            assert (await client.query_arrow("SELECT 1 AS one")).column("one").to_pylist() == [1]
            at_once = await asyncio.gather(*(client.query(f"SELECT {n}") for n in range(20)))
            assert [answer.first_row[0] for answer in at_once] == list(range(20))
            with pytest.raises(DatabaseError) as caught:
                await client.query("SELECT * FROM nowhere")
            assert caught.value.code == 60

    asyncio.run(run())


class TestShapes:
    def test_frames_go_in_and_come_out(self, reader: Client, writer: Client) -> None:
        writer.command("CREATE TABLE framed (n UInt64, at DateTime64(3, 'UTC'), s Nullable(String)) ORDER BY n")
        days = pd.to_datetime(["2026-01-01", "2026-01-02"], utc=True)
        frame = pd.DataFrame({"n": [1, 2], "at": days, "s": ["a", None]})
        writer.insert_df("framed", frame)
        back = reader.query_df("SELECT * FROM framed ORDER BY n")
        assert back["n"].tolist() == [1, 2]
        assert back["s"].isna().tolist() == [False, True]
        assert back["at"].dt.day.tolist() == [1, 2]

    def test_arrow_goes_in_and_comes_out(self, reader: Client, writer: Client) -> None:
        writer.command("CREATE TABLE arrows (n UInt64, s String) ORDER BY n")
        writer.insert_arrow("arrows", pyarrow.table({"n": pyarrow.array([1, 2], pyarrow.uint64()), "s": ["a", "b"]}))
        table = reader.query_arrow("SELECT * FROM arrows ORDER BY n", use_strings=True)
        assert table.to_pydict() == {"n": [1, 2], "s": ["a", "b"]}

    def test_raw_answers(self, reader: Client) -> None:
        assert reader.raw_query("SELECT 1 AS a", fmt="JSONEachRow") == b'{"a":1}\n'
        with reader.raw_stream("SELECT number FROM numbers(300000)", fmt="CSV") as stream:
            assert sum(part.count(b"\n") for part in iter(lambda: stream.read(65_536), b"")) == 300_000
        with reader.query_df_stream("SELECT number FROM numbers(300000)") as frames:
            assert sum(len(frame) for frame in frames) == 300_000

    def test_sessions_and_settings_of_a_reader(self, endpoint: EndpointProcess) -> None:
        client = client_of(endpoint, session_id="a-reader's", settings={"max_threads": 1})
        assert client.query("SELECT getSetting('max_threads')").first_row == (1,)
        assert client.query("SELECT 1", settings={"max_execution_time": 5, "wait_end_of_query": 1}).first_row == (1,)


class TestExternalTables:
    def test_a_reader_brings_tables(self, reader: Client) -> None:
        structure = "id UInt64, name String"
        people = ExternalData(data=b"1\tann\n2\tbob\n", file_name="people.tsv", fmt="TSV", structure=structure)
        people.add_file(data=b'3,"x"\n', file_name="more.csv", fmt="CSV", types="UInt64,String")
        query = "SELECT name FROM people WHERE id IN (SELECT 2) UNION ALL SELECT _2 AS name FROM more"
        assert sorted(reader.query(query, external_data=people).result_rows) == [("bob",), ("x",)]
        joined = "SELECT n.number, p.name FROM numbers(4) AS n JOIN people AS p ON n.number = p.id ORDER BY 1"
        answer = reader.query(joined, external_data=people, settings={"max_threads": 1})
        assert answer.result_rows == [(1, "ann"), (2, "bob")]
        with pytest.raises(DatabaseError) as caught:
            reader.query("SELECT * FROM people")
        assert caught.value.code == 60, "it was there for one query"
        unreadable = ExternalData(data=b"1\tann\nx\tbob\n", file_name="people", fmt="TSV", structure=structure)
        with pytest.raises(DatabaseError, match="is not like UInt64") as caught:
            reader.query("SELECT name FROM people", external_data=unreadable)
        assert "/dev/fd" not in str(caught.value)

    def test_native_as_clickhouse_go_sends_it(self, endpoint: EndpointProcess) -> None:
        part = b'Content-Disposition: form-data; name="ext"; filename=""\r\n'
        body = (
            b"--b\r\n"
            + part
            + b"Content-Type: application/octet-stream\r\n\r\n\x01\x02\x01n\x05UInt8\x07\x08\r\n--b\r\n"
        )
        body += b'Content-Disposition: form-data; name="query"\r\n\r\nSELECT sum(n) FROM ext\r\n--b--\r\n'
        answer = httpx.post(
            f"http://127.0.0.1:{endpoint.port}/",
            params={"ext_format": "Native", "ext_structure": "n UInt8", "database": "cvat", "default_format": "TSV"},
            headers={"Content-Type": "multipart/form-data; boundary=b"},
            content=body,
        )
        assert answer.text == "15\n"

    @pytest.mark.parametrize(
        ("name", "structure", "fmt"),
        [
            ("ext", "a String DEFAULT file('/etc/passwd')", "TSV"),
            ("ext", "a String, b String ALIAS file('/etc/passwd')", "TSV"),
            ("ext", "a String MATERIALIZED 1", "TSV"),
            ("ext", "a String) ENGINE = File(TSV, '/etc/passwd') --", "TSV"),
            ("ext", "a String, CONSTRAINT c CHECK 1", "TSV"),
            ("ext", "a String, INDEX i a TYPE minmax", "TSV"),
            ("ext", "a String CODEC(ZSTD)", "TSV"),
            ("ext", "a String); DROP TABLE x; SELECT (1", "TSV"),
            ("ext", "a", "TSV"),
            ("ext", "", "TSV"),
            ("e`x", "a String", "TSV"),
            ("system.one", "a String", "TSV"),
            ("ext", "a String", "Values"),
            ("ext", "a String", "Template"),
            ("ext", "a String", "MySQLDump"),
            ("ext", "a String", "TSV SETTINGS x = 1"),
        ],
    )
    def test_nothing_but_names_types_and_values(
        self, endpoint: EndpointProcess, name: str, structure: str, fmt: str
    ) -> None:
        answer = httpx.post(
            f"http://127.0.0.1:{endpoint.port}/",
            params={f"{name}_format": fmt, f"{name}_structure": structure},
            files={name: ("x", b"file('/etc/passwd')\n", "text/plain")},
            data={"query": f"SELECT * FROM `{name}`"},
        )
        assert answer.status_code in (400, 404), answer.text
        assert "root:" not in answer.text

    def test_a_table_that_unfolds_has_bounds(self, endpoint: EndpointProcess) -> None:
        """A Parquet file of 0.9 MB with 200 million rows."""
        zeros, file = pyarrow.table({"n": numpy.zeros(10_000_000, numpy.int64)}), io.BytesIO()
        with pyarrow.parquet.ParquetWriter(file, zeros.schema, compression="zstd") as writer:
            for _ in range(20):
                writer.write_table(zeros, row_group_size=10_000_000)
        assert len(file.getvalue()) < 1_500_000
        answer = httpx.post(
            f"http://127.0.0.1:{endpoint.port}/",
            params={"ext_format": "Parquet", "ext_structure": "n Int64"},
            files={"ext": ("x", file.getvalue(), "a/b")},
            data={"query": "SELECT count() FROM ext"},
        )
        assert (answer.status_code, answer.headers["X-ClickHouse-Exception-Code"]) == (500, "241")

    def test_a_form_has_bounds(self, endpoint: EndpointProcess) -> None:
        answer = httpx.post(
            f"http://127.0.0.1:{endpoint.port}/",
            params={"ext_structure": "a String"},
            files={"ext": ("x", b"x\n" * 2_000_000, "text/plain")},
            data={"query": "SELECT count() FROM ext"},
        )
        assert answer.status_code == 413


def test_eight_readers_while_the_writer_writes(endpoint: EndpointProcess, writer: Client) -> None:
    """Whoever reads sees whole batches, never fewer rows than before, and sums that fit."""
    writer.command("CREATE TABLE stream (batch UInt64, n UInt64) ORDER BY (batch, n)")
    done, failures = threading.Event(), []
    seen: list[list[int]] = [[] for _ in range(8)]

    def read(counts: list[int]) -> None:
        client = client_of(endpoint)
        while not done.is_set():
            rows, total, batches = client.query("SELECT count(), sum(n), uniqExact(batch) FROM stream").result_rows[0]
            counts.append(rows)
            if rows != batches * 500 or total != batches * 124_750:
                failures.append((rows, total, batches))

    threads = [threading.Thread(target=read, args=(counts,)) for counts in seen]
    for thread in threads:
        thread.start()
    try:
        for batch in range(15):
            writer.insert("stream", [[batch, n] for n in range(500)], ["batch", "n"])
        wait_until(lambda: all(len(counts) > 3 for counts in seen))
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert not failures
    assert all(counts == sorted(counts) for counts in seen)
    assert writer.command("SELECT count() FROM stream") == 7_500
