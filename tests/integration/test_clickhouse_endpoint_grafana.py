"""Grafana's ClickHouse data source in HTTP mode: the requests of clickhouse-go 2.50, byte for byte, and its queries."""

from __future__ import annotations

import base64
import gzip
import http.client
import socket
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import brotli  # type: ignore[import-untyped]
import pytest
from clickhouse_connect.datatypes.registry import get_from_name
from clickhouse_connect.driver.exceptions import StreamCompleteException
from clickhouse_connect.driver.query import QueryContext
from clickhouse_connect.driverc.buffer import ResponseBuffer

from infra.clickhouse.blocks import unblocked
from infra.clickhouse.process import EndpointProcess

PASSWORD = "writer's"
PRODUCT = "grafana/12.0.0 clickhouse-datasource/4.10.2 clickhouse-go/2.50.0 (lv:go/1.26.8; os:linux)"
URL = "client_protocol_version=54460&{}database=cvat&default_format=Native&max_execution_time=64{}"
LZ4 = ("compress=1&", "&network_compression_method=LZ4")
ZSTD = ("compress=1&", "&network_compression_method=ZSTD&network_zstd_compression_level=3")
CODECS: dict[str, tuple[str, str, Callable[[bytes], bytes]]] = {
    "none": (URL.format("", ""), "", bytes),
    "gzip": (URL.format("", ""), "Accept-Encoding: gzip\r\n", gzip.decompress),
    "deflate": (URL.format("", ""), "Accept-Encoding: deflate\r\n", zlib.decompress),
    "br": (URL.format("", ""), "Accept-Encoding: br\r\n", brotli.decompress),
    "lz4": (URL.format(*LZ4), "", lambda body: b"".join(unblocked([body]))),
    "zstd": (URL.format(*ZSTD), "", lambda body: b"".join(unblocked([body]))),
}


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with EndpointProcess(tmp_path_factory.mktemp("clickhouse"), PASSWORD) as endpoint:
        for query in (
            "CREATE TABLE events (timestamp DateTime64(3, 'Etc/UTC'), scope String, user_id Nullable(UInt64),"
            " kind LowCardinality(String), tags Map(String, String)) ORDER BY timestamp",
            "INSERT INTO events SELECT toDateTime64('2026-11-20 12:00:00', 3, 'UTC') + number,"
            " if(number % 2 = 0, 'create:job', 'update:job'), number, 'x', map('a', 'b') FROM numbers(10)",
        ):
            body = go_request(URL.format("", ""), "", query, f"forwarder:{PASSWORD}")
            assert exchange(endpoint.port, body)[0].status == 200
        yield endpoint.port


def go_request(url: str, accept: str, query: str, user: str = "grafana:", head: str = "") -> bytes:
    """A query as clickhouse-go's HTTP transport writes it."""
    length = f"Content-Length: {len(query.encode())}\r\n{accept}"
    credentials = base64.b64encode(user.encode()).decode()
    lines = f"Host: 127.0.0.1:8123\r\nUser-Agent: {PRODUCT}\r\n{length}Authorization: Basic {credentials}\r\n{head}\r\n"
    return f"POST /?{url} HTTP/1.1\r\n{lines}{query}".encode()


def exchange(port: int, request: bytes) -> tuple[http.client.HTTPResponse, bytes]:
    with socket.create_connection(("127.0.0.1", port), timeout=60) as connection:
        connection.sendall(request)
        answer = http.client.HTTPResponse(connection)
        answer.begin()
        try:
            return answer, answer.read()
        except http.client.IncompleteRead as broken:
            return answer, broken.partial


def decoded(stream: bytes) -> dict[str, list[Any]]:
    """A Native stream of revision 54460, read by clickhouse-connect's readers of columns."""

    class Source:
        exception_tag = None
        gen = iter([stream])

        def close(self) -> None:
            pass

    source, context = ResponseBuffer(Source()), QueryContext()
    columns: dict[str, list[Any]] = {}
    while True:
        try:
            info = source.read_bytes(8)
        except StreamCompleteException:
            return columns
        assert struct.unpack("<BBBiB", info) == (1, 0, 2, -1, 0)
        width, rows = source.read_leb128(), source.read_leb128()
        for _ in range(width):
            name, kind = source.read_leb128_str(), get_from_name(source.read_leb128_str())
            assert source.read_byte() == 0, "no custom serialization, which clickhouse-go has not"
            if rows:
                columns.setdefault(name, []).extend(kind.read_column(source, rows, context))
            else:
                columns.setdefault(name, [])


def ask(port: int, query: str, codec: str = "gzip") -> dict[str, list[Any]]:
    url, accept, decode = CODECS[codec]
    answer, body = exchange(port, go_request(url, accept, query))
    assert answer.status == 200, body
    assert answer.headers["X-ClickHouse-Format"] == "Native"
    if len(body) > 1024 and accept:
        assert answer.headers["Content-Encoding"] == codec
    return decoded(decode(body) if answer.headers["Content-Encoding"] or codec in ("lz4", "zstd") else body)


@pytest.mark.parametrize("codec", CODECS)
class TestTransport:
    def test_hello_and_ping(self, port: int, codec: str) -> None:
        hello = ask(port, "SELECT displayName(), version(), revision(), timezone()", codec)
        assert list(hello) == ["displayName()", "version()", "revision()", "timezone()"]
        assert hello["revision()"][0] >= 54460
        assert hello["timezone()"][0] in ("UTC", "Etc/UTC")
        assert ask(port, "SELECT 1", codec) == {"1": [1]}

    def test_results_of_many_blocks_and_types(self, port: int, codec: str) -> None:
        answer = ask(
            port,
            "SELECT number AS n, toString(number * 1000003) AS s, [number, 1] AS a, nullIf(number % 3, 0) AS o,"
            " toLowCardinality(toString(number % 7)) AS l, map('k', number) AS m, (number, 'é') AS t,"
            " repeat('x', number % 300) AS long FROM numbers(70000) SETTINGS max_block_size = 9999",
            codec,
        )
        assert answer["n"] == list(range(70_000))
        assert answer["s"] == [str(n * 1_000_003) for n in range(70_000)]
        assert answer["a"][69_999] == [69_999, 1]
        assert answer["o"][:4] == [None, 1, 2, None]
        assert answer["l"][:8] == list("01234560")
        assert answer["m"][5] == {"k": 5}
        assert answer["t"][3] == (3, "é")
        assert [len(text) for text in answer["long"]] == [n % 300 for n in range(70_000)]

    def test_errors(self, port: int, codec: str) -> None:
        url, accept, _ = CODECS[codec]
        answer, body = exchange(port, go_request(url, accept, "SELECT * FROM nowhere"))
        assert (answer.status, answer.headers["X-ClickHouse-Exception-Code"]) == (404, "60")
        assert body.startswith(b"Code: 60. DB::Exception: ")

    def test_an_error_in_the_middle(self, port: int, codec: str) -> None:
        url, accept, _ = CODECS[codec]
        query = "SELECT number, throwIf(number = 3000000) FROM numbers(5000000)"
        answer, body = exchange(port, go_request(url, accept, query))
        assert answer.status == 200
        if codec == "none":
            assert b"__exception__\r\n" + answer.headers["X-ClickHouse-Exception-Tag"].encode() in body

    def test_ids_and_parameters(self, port: int, codec: str) -> None:
        url, accept, _ = CODECS[codec]
        request = go_request(f"{url}&param_x=7&query_id=mine", accept, "SELECT {x:UInt8} + 1 FORMAT TSV")
        answer, body = exchange(port, request)
        assert answer.headers["X-ClickHouse-Query-Id"] == "mine"
        assert (b"".join(unblocked([body])) if codec in ("lz4", "zstd") else body) == b"8\n"


def test_a_batch_in_blocks(port: int) -> None:
    """As `tx.Commit()` sent it: one row of (1, 'row'), a block of LZ4 with its checksum."""
    from infra.clickhouse.blocks import BlockEncoder

    def write(url: str, body: bytes) -> http.client.HTTPResponse:
        credentials = base64.b64encode(f"forwarder:{PASSWORD}".encode()).decode()
        head = f"POST /?{url} HTTP/1.1\r\nHost: 127.0.0.1:8123\r\nUser-Agent: {PRODUCT}\r\n"
        head += "Transfer-Encoding: chunked\r\n"
        head += f"Authorization: Basic {credentials}\r\nContent-Type: application/octet-stream\r\n\r\n"
        return exchange(port, head.encode() + f"{len(body):x}\r\n".encode() + body + b"\r\n0\r\n\r\n")[0]

    create = "CREATE TABLE go (a UInt64, b String) ORDER BY a"
    assert exchange(port, go_request(URL.format("", ""), "", create, f"forwarder:{PASSWORD}"))[0].status == 200
    insert = URL.format("compress=1&", "&network_compression_method=LZ4&query=INSERT+INTO+go+FORMAT+Native")
    insert = insert.replace("database=cvat", "database=cvat&decompress=1")
    block = b"\x02\x01\x01a\x06UInt64" + struct.pack("<Q", 1) + b"\x01b\x06String\x03row"
    body = BlockEncoder("LZ4").compress(block)
    assert write(insert, body).status == 200
    damaged = write(insert, bytes([body[0] ^ 1]) + body[1:])
    assert (damaged.status, damaged.headers["X-ClickHouse-Exception-Code"]) == (500, "40")
    assert ask(port, "SELECT * FROM go") == {"a": [1], "b": ["row"]}


PLUGIN_QUERIES = [
    "SELECT version()",
    "SELECT timezone()",
    "SHOW DATABASES",
    "SELECT name FROM system.databases",
    'SHOW TABLES FROM "cvat"',
    "SELECT name FROM system.tables WHERE database = 'cvat'",
    'DESC TABLE "cvat"."events"',
    'DESC TABLE "cvat"."events" SETTINGS describe_compact_output = 1',
    "SELECT name, type, table FROM system.columns WHERE database IN ('cvat')",
    "SELECT name, type, table FROM system.columns WHERE table = 'events' AND database = 'cvat'",
    "SELECT name FROM system.functions LIMIT 10",
    "SELECT hasColumnInTable('cvat', 'events', 'scope')",
    'SELECT DISTINCT arrayJoin(tags.keys) as keys FROM "cvat"."events" LIMIT 1000',
    "select distinct scope from cvat.events limit 1000",
]


@pytest.mark.parametrize("query", PLUGIN_QUERIES)
def test_what_the_plugin_asks_for_itself(port: int, query: str) -> None:
    assert ask(port, query)


def test_what_the_query_builder_sends(port: int) -> None:
    """The macros are expanded by the plugin: $__timeFilter, $__timeInterval, $__fromTime."""
    series = ask(
        port,
        'SELECT toStartOfInterval(toDateTime("timestamp"), INTERVAL 5 second) as "time", "scope", count(*)'
        ' FROM "cvat"."events" WHERE ( timestamp >= toDateTime(1795176000) AND timestamp <= toDateTime(1795190000) )'
        " AND ( timestamp >= fromUnixTimestamp64Milli(1795176000000) )"
        ' GROUP BY "scope", time ORDER BY time ASC LIMIT 1000',
    )
    assert sum(series["count()"]) == 10
    logs = ask(
        port,
        'SELECT timestamp as "timestamp", scope as "body",'
        " CASE WHEN scope IN ('create:job') THEN 'info' ELSE 'debug' END as \"level\" FROM cvat.events"
        " WHERE (timestamp >= toDateTime64(1795176000.000, 3)) ORDER BY timestamp DESC LIMIT 3",
    )
    assert logs["level"] == ["debug", "info", "debug"]


def test_ad_hoc_filters(port: int) -> None:
    query = "SELECT count() AS n FROM events"
    query += " settings additional_table_filters={'events' : ' scope = \\'create:job\\' '}"
    assert ask(port, query) == {"n": [5]}
    query = query.replace("scope = \\'create:job\\'", "scope = \\'create:job\\' AND user_id > \\'3\\'")
    assert ask(port, query) == {"n": [3]}


def test_a_type_that_cannot_be_framed_is_said_so(port: int) -> None:
    url, accept, _ = CODECS["gzip"]
    answer, body = exchange(port, go_request(url, accept, "SELECT '{\"a\": 1}'::JSON AS j"))
    assert (answer.status, answer.headers["X-ClickHouse-Exception-Code"]) == (501, "48")
    assert b"CAST it to String" in body
