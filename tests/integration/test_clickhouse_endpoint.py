"""The unmodified clickhouse-connect client and plain HTTP against the embedded ClickHouse in a process of its own."""

from __future__ import annotations

import contextlib
import gzip
import json
import socket
import threading
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import clickhouse_connect
import httpx
import lz4.frame  # type: ignore[import-untyped]
import pytest
import zstandard
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError, StreamFailureError
from clickhouse_connect.driver.summary import QuerySummary

from infra.clickhouse.process import EndpointProcess

from ..waiting import wait_until

PASSWORD = "the writer's pass:word"
TABLE = (
    "CREATE TABLE {} (position UInt64, name LowCardinality(String), at DateTime64(6, 'UTC'), user Nullable(UInt32),"
    " payload String, tags Array(String)) ENGINE = ReplacingMergeTree ORDER BY position"
)
COLUMNS = ["position", "name", "at", "user", "payload", "tags"]


@pytest.fixture(scope="module")
def endpoint(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EndpointProcess]:
    with EndpointProcess(tmp_path_factory.mktemp("clickhouse"), PASSWORD) as running:
        yield running


@pytest.fixture(scope="module")
def url(endpoint: EndpointProcess) -> str:
    return f"http://127.0.0.1:{endpoint.port}/"


def client_of(endpoint: EndpointProcess, **options: Any) -> Client:
    return clickhouse_connect.get_client(host="127.0.0.1", port=endpoint.port, tz_mode="aware", **options)


def writer_of(endpoint: EndpointProcess, **options: Any) -> Client:
    return client_of(endpoint, username="forwarder", password=PASSWORD, **options)


@pytest.fixture(scope="module")
def reader(endpoint: EndpointProcess) -> Client:
    return client_of(endpoint)


@pytest.fixture(scope="module")
def writer(endpoint: EndpointProcess) -> Client:
    return writer_of(endpoint)


def rows(count: int, start: int = 0) -> list[list[Any]]:
    moment = datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC)
    return [[n, "create:task", moment, n or None, f'{{"n":{n}}}', ["a", "b'\\"]] for n in range(start, start + count)]


class TestClient:
    def test_knows_the_server(self, reader: Client) -> None:
        assert reader.ping()
        assert str(reader.server_version).count(".") == 3
        assert str(reader.server_tz) == "UTC"

    def test_binds_parameters_on_the_server(self, reader: Client) -> None:
        values = {"n": 7, "s": "it's \\ a\ttab\nline", "a": ["x", "y'"], "d": datetime(2026, 1, 2, tzinfo=UTC)}
        query = "SELECT {n:UInt64} + 1, {s:String}, {a:Array(String)}, {d:DateTime('UTC')}"
        assert reader.query(query, parameters=values).first_row == (8, values["s"], values["a"], values["d"])

    def test_sends_long_parameters_as_a_form(self, endpoint: EndpointProcess) -> None:
        client = client_of(endpoint, form_encode_query_params=True)
        text = "x" * 200_000
        assert client.query("SELECT length({s:String})", parameters={"s": text}).first_row == (200_000,)

    def test_sets_settings(self, reader: Client) -> None:
        query = "SELECT getSetting('max_block_size'), getSetting('max_execution_time')"
        settings = {"max_block_size": 1234, "max_execution_time": 5}
        assert reader.query(query, settings=settings).first_row == (1234, 5)

    @pytest.mark.parametrize("compress", ["lz4", "zstd", "gzip", False])
    def test_inserts_and_queries_compressed(self, endpoint: EndpointProcess, compress: str | bool) -> None:
        client = writer_of(endpoint, compress=compress)
        table = f"compressed_{compress}".lower()
        client.command(TABLE.format(table))
        summary = client.insert(table, rows(5_000), column_names=COLUMNS)
        assert summary.written_rows == 5_000
        answer = client_of(endpoint, compress=compress).query(f"SELECT * FROM {table} ORDER BY position")
        assert answer.result_rows == [tuple(row) for row in rows(5_000)]
        large: list[list[Any]] = [[n, "x", datetime(2026, 1, 1), None, "payload" * 20, []] for n in range(50_000)]
        assert client.insert(table, large, column_names=COLUMNS).written_rows == 50_000

    def test_command_tells_results_from_none(self, reader: Client, writer: Client) -> None:
        assert isinstance(writer.command("CREATE TABLE nothing (a UInt8) ORDER BY a"), QuerySummary)
        assert reader.command("SELECT count() FROM nothing") == 0
        assert reader.command("SELECT '' WHERE 0") == ""

    def test_other_shapes(self, reader: Client) -> None:
        query = "SELECT number, toString(number) AS text FROM numbers(3)"
        assert reader.query_df(query)["text"].tolist() == ["0", "1", "2"]
        assert reader.query_arrow(query).column("number").to_pylist() == [0, 1, 2]
        assert reader.query_np(query).dtype.names == ("number", "text")
        assert reader.raw_query(query, fmt="CSVWithNames") == b'"number","text"\n0,"0"\n1,"1"\n2,"2"\n'
        assert reader.query(f"{query} LIMIT 0").column_names == ("number", "text")
        assert reader.query("DESCRIBE TABLE system.one").result_rows[0][:2] == ("dummy", "UInt8")

    def test_streams_more_than_it_may_hold(self, endpoint: EndpointProcess, reader: Client) -> None:
        before = resident(endpoint.pid)
        total = 0
        with reader.query_column_block_stream("SELECT number, toString(number) FROM numbers(20000000)") as blocks:
            for block in blocks:
                total += len(block[0])
        assert total == 20_000_000
        assert resident(endpoint.pid) - before < 150 * 1024 * 1024

    @pytest.mark.parametrize("compress", ["lz4", "zstd", "gzip", False])
    def test_learns_of_an_error_in_the_middle(self, endpoint: EndpointProcess, compress: str | bool) -> None:
        client = client_of(endpoint, compress=compress)
        with pytest.raises(StreamFailureError, match="Value passed to 'throwIf' function is non-zero"):
            _ = client.query("SELECT number, throwIf(number = 3000000) FROM numbers(5000000)").result_rows
        assert client.query("SELECT 1").first_row == (1,)

    def test_errors_have_codes(self, reader: Client) -> None:
        for query, code, name in (
            ("SELECT * FROM nowhere", 60, "UNKNOWN_TABLE"),
            ("SELECT nothing", 47, "UNKNOWN_IDENTIFIER"),
            ("SELEC 1", 62, "SYNTAX_ERROR"),
            ("SELECT toUInt8('x')", 6, "CANNOT_PARSE_TEXT"),
            ("SELECT sleep(2.9), sleep(2.9) SETTINGS max_execution_time = 1", 159, "TIMEOUT_EXCEEDED"),
            ("SELECT groupArray(number) FROM numbers(100000000)", 241, "MEMORY_LIMIT_EXCEEDED"),
        ):
            with pytest.raises(DatabaseError) as caught:
                reader.query(query)
            assert (caught.value.code, caught.value.name) == (code, name)

    def test_a_refused_insert_leaves_the_connection_usable(self, writer: Client) -> None:
        with pytest.raises(DatabaseError) as caught:
            writer.raw_insert("nowhere", ["a"], b"1\n" * 2_000_000, fmt="CSV", compression=None)
        assert caught.value.code == 60
        writer.command("CREATE TABLE IF NOT EXISTS numbers_only (a UInt8) ORDER BY a")
        with pytest.raises(DatabaseError) as caught:
            writer.raw_insert("numbers_only", ["a"], b"1\nx\n", fmt="CSV")
        assert caught.value.code == 117
        assert writer.command("SELECT count() FROM numbers_only") == 0

    def test_a_session_keeps_what_the_writer_set(self, endpoint: EndpointProcess) -> None:
        client, other = writer_of(endpoint, session_id="kept"), writer_of(endpoint)
        client.command("SET max_block_size = 777")
        assert client.command("SELECT getSetting('max_block_size')") == 777
        assert other.command("SELECT getSetting('max_block_size')") != 777

    def test_readers_and_the_writer_at_once(self, endpoint: EndpointProcess, writer: Client) -> None:
        writer.command(TABLE.format("busy"))
        done = threading.Event()
        seen: list[list[int]] = [[], [], []]

        def read(counts: list[int]) -> None:
            client = client_of(endpoint)
            while not done.is_set():
                counts.append(int(client.query("SELECT count() FROM busy").result_rows[0][0]))

        readers = [threading.Thread(target=read, args=(counts,)) for counts in seen]
        for thread in readers:
            thread.start()
        try:
            for batch in range(600):
                writer.insert("busy", rows(1_000, batch * 1_000), column_names=COLUMNS)
                if batch > 30 and all(len(set(counts)) > 3 for counts in seen):
                    break
        finally:
            done.set()
            for thread in readers:
                thread.join()
        assert all(counts == sorted(counts) and len(set(counts)) > 3 for counts in seen)
        assert {count % 1_000 for counts in seen for count in counts} == {0}


class TestHttp:
    def test_curl_like_queries(self, url: str) -> None:
        assert httpx.get(url, params={"query": "SELECT 1"}).text == "1\n"
        assert httpx.post(url, content="SELECT 1, 'a' FORMAT CSV").text == '1,"a"\n'
        assert httpx.post(url, params={"query": "SELECT 1,"}, content=" 2").text == "1\t2\n"
        assert httpx.get(url, params={"query": "SELECT 1 AS a", "default_format": "JSONEachRow"}).json() == {"a": 1}
        assert httpx.get(url, params={"query": "SELECT {x:UInt8}", "param_x": "5"}).text == "5\n"
        assert httpx.get(url, params={"query": "SELECT currentDatabase()"}).text == "cvat\n"
        assert httpx.get(url, params={"query": "SELECT currentDatabase()", "database": "default"}).text == "default\n"

    def test_paths(self, url: str) -> None:
        for path in ("ping", "replicas_status", ""):
            assert (httpx.get(url + path).text, httpx.head(url + path).status_code) == ("Ok.\n", 200)
        assert httpx.get(url + "nowhere").status_code == 404
        assert httpx.put(url).status_code == 405

    def test_headers(self, url: str) -> None:
        answer = httpx.get(url, params={"query": "SELECT 1 AS a", "query_id": "mine", "default_format": "JSON"})
        assert answer.headers["X-ClickHouse-Query-Id"] == "mine"
        assert answer.headers["X-ClickHouse-Format"] == "JSON"
        assert answer.headers["X-ClickHouse-Timezone"] == "UTC"
        assert answer.headers["X-ClickHouse-Server-Display-Name"]
        assert answer.headers["Content-Type"] == "application/json; charset=UTF-8"
        summary = json.loads(answer.headers["X-ClickHouse-Summary"])
        assert (summary["read_rows"], summary["result_rows"]) == ("1", "1")
        assert answer.json()["data"] == [{"a": 1}]

    def test_errors(self, url: str) -> None:
        for query, status, code in (("SELEC", 400, 62), ("", 400, 62), ("SELECT * FROM nowhere", 404, 60)):
            answer = httpx.post(url, content=query)
            assert (answer.status_code, answer.headers["X-ClickHouse-Exception-Code"]) == (status, str(code))
            assert answer.text.startswith(f"Code: {code}. DB::Exception: ")
        assert httpx.post(url, params={"max_thread": "1"}, content="SELECT 1").status_code == 404
        unknown = {"compress": "1", "network_compression_method": "ROT13"}
        assert httpx.post(url, params=unknown, content="SELECT 1").status_code == 501
        assert httpx.post(url, content=f"SELECT '{'x' * 2_000_000}'").status_code == 413
        assert httpx.post(url, content="SELECT 1", headers={"Content-Encoding": "rot13"}).status_code == 501
        assert httpx.post(url, content="SELECT 1", headers={"Content-Encoding": "zstd"}).status_code == 400

    def test_inserts_in_the_formats_of_scripts(self, url: str) -> None:
        def write(query: str, body: bytes = b"", **headers: str) -> httpx.Response:
            return httpx.post(url, params={"query": query}, content=body, headers=headers, auth=("forwarder", PASSWORD))

        assert write("CREATE TABLE scripted (a UInt64, `format values` String) ORDER BY a").status_code == 200
        assert write("INSERT INTO scripted FORMAT CSV\n", b'1,"x"\n').status_code == 200
        assert write("", b"insert into cvat.scripted (a) values (2), (1 + 2)").status_code == 200
        assert write("INSERT INTO scripted (a, `format values`) FORMAT JSONEachRow", b'{"a": 4}').status_code == 200
        assert write(
            "INSERT INTO scripted FORMAT TSV", gzip.compress(b"5\tgz\n"), **{"Content-Encoding": "gzip"}
        ).is_success
        lz = lz4.frame.compress(b"6\tl\n") + lz4.frame.compress(b"7\tl\n")
        assert write("INSERT INTO scripted FORMAT TSV", lz, **{"Content-Encoding": "lz4"}).is_success
        assert write("INSERT INTO scripted SELECT number + 8, 'FORMAT' FROM numbers(2)").is_success
        answer = write("INSERT INTO scripted FORMAT TSV", b"10\tx\n11\ty\n")
        assert json.loads(answer.headers["X-ClickHouse-Summary"])["written_rows"] == "2"
        assert "X-ClickHouse-Format" not in answer.headers
        assert httpx.get(
            url, params={"query": "SELECT groupArray(a) FROM (SELECT a FROM scripted ORDER BY a)"}
        ).text == ("[1,2,3,4,5,6,7,8,9,10,11]\n")

    def test_compresses_what_it_is_asked_to(self, url: str) -> None:
        query = {"query": "SELECT number FROM numbers(100000)"}
        plain = httpx.get(url, params=query, headers={"Accept-Encoding": "identity"}).content
        for encoding, decode in (
            ("gzip", gzip.decompress),
            ("deflate", zlib.decompress),
            ("lz4", lz4.frame.decompress),
            ("zstd", lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data)),
        ):
            with httpx.stream("GET", url, params=query, headers={"Accept-Encoding": encoding}) as answer:
                assert answer.headers["Content-Encoding"] == encoding
                assert decode(b"".join(answer.iter_raw())) == plain
        off = httpx.get(url, params={**query, "enable_http_compression": "0"}, headers={"Accept-Encoding": "gzip"})
        assert "Content-Encoding" not in off.headers

    @pytest.mark.parametrize("name", ["JSON", "JSONCompact", "XML", "CSVWithNames", "Parquet", "ArrowStream", "Pretty"])
    def test_a_streamed_result_is_one_document(self, url: str, name: str) -> None:
        query = f"SELECT number, repeat('x', 100) AS text FROM numbers(100000) FORMAT {name}"
        content = httpx.get(url, params={"query": query}, headers={"Accept-Encoding": "identity"}).content
        if name.startswith("JSON"):
            assert json.loads(content)["rows"] == 100_000
        else:
            marks = {"CSVWithNames": b'"number"', "Parquet": b"PAR1", "XML": b"<?xml", "Pretty": b"number"}
            expected = {"Parquet": 2, "Pretty": 2}.get(name, 1)  # Parquet and Pretty repeat it at the end
            assert name == "ArrowStream" or content.count(marks[name]) == expected

    def test_an_abandoned_query_ends(self, url: str) -> None:
        brief = httpx.Timeout(60, read=0.5)
        long = {"max_execution_time": "600"}  # after which it ends by itself
        silent = {**long, "query": "SELECT sum(sipHash64(number)) FROM numbers(100000000000)"}
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(url, params=silent, timeout=brief)
        with httpx.stream("GET", url, params={**long, "query": "SELECT number FROM numbers(100000000000)"}) as answer:
            next(answer.iter_raw())
        wait_until(lambda: running_queries(url) == [])

    def test_bodies_that_stall_hold_up_nobody(self, endpoint: EndpointProcess, url: str) -> None:
        with contextlib.ExitStack() as stalled:
            for _ in range(150):
                connection = stalled.enter_context(socket.create_connection(("127.0.0.1", endpoint.port)))
                connection.sendall(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nSELECT")
            assert httpx.get(url, params={"query": "SELECT 1"}).text == "1\n"

    def test_readers_that_stall_do_not_hold_up_the_writer(self, endpoint: EndpointProcess, url: str) -> None:
        query = b"SELECT+number+FROM+numbers(100000000000)&max_execution_time=600"
        endless = b"GET /?query=" + query + b" HTTP/1.1\r\nHost: x\r\n\r\n"
        with contextlib.ExitStack() as stalled:
            for _ in range(140):
                stalled.enter_context(socket.create_connection(("127.0.0.1", endpoint.port))).sendall(endless)
            wait_until(lambda: len(running_queries(url)) == 6)
            wait_until(lambda: is_refused(url))  # when all of them have come
            assert httpx.post(url, content="SELECT 1", auth=("forwarder", PASSWORD)).text == "1\n"
        wait_until(lambda: running_queries(url) == [])
        assert httpx.get(url, params={"query": "SELECT 1"}).text == "1\n"

    def test_nonsense_is_answered(self, endpoint: EndpointProcess, url: str) -> None:
        for nonsense in (
            b"\x00\x01\x02\r\n\r\n",
            b"GET / HTTP/1.1\r\n" + b"X: y\r\n" * 400_000,
            b"GET /%ff?%zz HTTP/1.1\r\n\r\n",
        ):
            with socket.create_connection(("127.0.0.1", endpoint.port), timeout=60) as connection:
                try:
                    connection.sendall(nonsense)
                    assert connection.recv(100).startswith(b"HTTP/1.1 4")
                except ConnectionError:
                    pass
        assert httpx.get(url + "ping").text == "Ok.\n"


def is_refused(url: str) -> bool:
    """Whether as many readers wait as may. Else one more would."""
    with contextlib.suppress(httpx.ReadTimeout):
        answer = httpx.get(url, params={"query": "SELECT 1"}, timeout=httpx.Timeout(60, read=3))
        assert (answer.status_code, answer.headers["X-ClickHouse-Exception-Code"]) == (503, "202")
        return True
    return False


def running_queries(url: str) -> list[str]:
    query = "SELECT query FROM system.processes WHERE query NOT LIKE '%system.processes%'"
    return httpx.post(url, content=query, auth=("forwarder", PASSWORD)).text.splitlines()


def resident(pid: int) -> int:
    """Bytes that the process holds in memory."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096
