"""Every output format as one proper document, and its content type, as a ClickHouse server answers."""

from __future__ import annotations

import csv
import io
import json
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pyarrow  # type: ignore[import-untyped]
import pyarrow.parquet  # type: ignore[import-untyped]
import pytest
from clickhouse_connect.driver.transform import NativeTransform
from clickhouse_connect.driverc.buffer import ResponseBuffer

from infra.clickhouse.process import EndpointProcess

QUERY = "SELECT number AS n, concat('é', toString(number)) AS s FROM numbers(3) ORDER BY n"
ROWS = [(0, "é0"), (1, "é1"), (2, "é2")]
JSON, LINES = "application/json; charset=UTF-8", "application/x-ndjson; charset=UTF-8"
BINARY, TEXT = "application/octet-stream", "text/plain; charset=UTF-8"
TSV, CSV = "text/tab-separated-values; charset=UTF-8", "text/csv; charset=UTF-8; header="


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with EndpointProcess(tmp_path_factory.mktemp("clickhouse"), "writer's") as endpoint:
        yield f"http://127.0.0.1:{endpoint.port}/"


def pairs(table: list[list[str]]) -> list[tuple[int, str]]:
    return [(int(n), s) for n, s in table]


def lines(body: bytes) -> list[Any]:
    return [json.loads(line) for line in body.decode().splitlines()]


def tsv(body: bytes) -> list[list[str]]:
    return [line.split("\t") for line in body.decode().splitlines()]


def native(body: bytes) -> list[tuple[int, str]]:
    class Source:
        exception_tag = None
        gen = iter([body])

        def close(self) -> None:
            pass

    return list(NativeTransform.parse_response(ResponseBuffer(Source())).result_rows)


def row_binary(body: bytes) -> list[tuple[int, str]]:
    names = b"\x02\x01n\x01s\x06UInt64\x06String"
    assert body.startswith(names)
    return [(n, s) for n, s in ROWS if n.to_bytes(8, "little") + b"\x03" + s.encode() in body]


def xml(body: bytes) -> list[tuple[int, str]]:
    rows = ElementTree.fromstring(body).iter("row")
    return [(int(row.findtext("n", "")), row.findtext("s", "")) for row in rows]


def in_pretty(body: bytes) -> list[tuple[int, str]]:
    return [(n, s) for n, s in ROWS if s in body.decode()]


def arrow(table: Any) -> list[tuple[int, str]]:
    def text(value: str | bytes) -> str:
        return value.decode() if isinstance(value, bytes) else value

    return [(n, text(s)) for n, s in zip(table["n"].to_pylist(), table["s"].to_pylist(), strict=True)]


def of_json(body: bytes) -> list[tuple[int, str]]:
    return [(int(row["n"]), row["s"]) for row in json.loads(body)["data"]]


def of_lines(body: bytes) -> list[tuple[int, str]]:
    return [(int(row["n"]), row["s"]) for row in lines(body)]


def of_lines_with_progress(body: bytes) -> list[tuple[int, str]]:
    return [(line["row"]["n"], line["row"]["s"]) for line in lines(body) if "row" in line]


FORMATS: list[tuple[str, str, Callable[[bytes], Any]]] = [
    ("JSON", JSON, of_json),
    ("JSONStrings", JSON, of_json),
    ("JSONCompact", JSON, lambda body: pairs(json.loads(body)["data"])),
    ("JSONEachRow", LINES, of_lines),
    ("JSONStringsEachRow", LINES, of_lines),
    ("JSONEachRowWithProgress", JSON, of_lines_with_progress),
    ("JSONCompactEachRow", TEXT, lambda body: pairs(lines(body))),
    ("JSONCompactEachRowWithNamesAndTypes", TEXT, lambda body: pairs(lines(body)[2:])),
    ("CSV", CSV + "absent", lambda body: pairs(list(csv.reader(io.StringIO(body.decode()))))),
    ("CSVWithNames", CSV + "present", lambda body: pairs(list(csv.reader(io.StringIO(body.decode())))[1:])),
    ("TSV", TSV, lambda body: pairs(tsv(body))),
    ("TabSeparated", TSV, lambda body: pairs(tsv(body))),
    ("TSVWithNames", TSV, lambda body: pairs(tsv(body)[1:])),
    ("TabSeparatedWithNamesAndTypes", TSV, lambda body: pairs(tsv(body)[2:])),
    ("Values", TEXT, lambda body: [(n, s) for n, s in ROWS if f"({n},'{s}')" in body.decode()]),
    ("Native", BINARY, native),
    ("RowBinaryWithNamesAndTypes", BINARY, row_binary),
    ("Parquet", BINARY, lambda body: arrow(pyarrow.parquet.read_table(io.BytesIO(body)))),
    ("Arrow", BINARY, lambda body: arrow(pyarrow.ipc.open_file(body).read_all())),
    ("ArrowStream", BINARY, lambda body: arrow(pyarrow.ipc.open_stream(body).read_all())),
    ("XML", "application/xml; charset=UTF-8", xml),
    ("Markdown", TEXT, in_pretty),
    ("Pretty", TEXT, in_pretty),
    ("PrettyCompact", TEXT, in_pretty),
    ("PrettySpace", TEXT, in_pretty),
    ("PrettyJSONEachRow", LINES, in_pretty),
    ("Vertical", TEXT, in_pretty),
    ("SQLInsert", TEXT, in_pretty),
]


@pytest.mark.parametrize(("name", "kind", "read"), FORMATS, ids=[name for name, _, _ in FORMATS])
def test_by_clause_parameter_and_header(url: str, name: str, kind: str, read: Callable[[bytes], Any]) -> None:
    answers = [
        httpx.post(url, content=f"{QUERY} FORMAT {name}"),
        httpx.post(url, content=QUERY, params={"default_format": name}),
        httpx.post(url, content=QUERY, headers={"X-ClickHouse-Format": name}),
        httpx.get(url, params={"query": f"{QUERY} FORMAT {name}", "default_format": "CSV"}),
    ]
    for answer in answers:
        assert answer.status_code == 200, answer.text
        assert (answer.headers["X-ClickHouse-Format"], answer.headers["Content-Type"]) == (name, kind)
        assert read(answer.content) == ROWS


def test_the_default_is_that_of_a_server(url: str) -> None:
    answer = httpx.post(url, content=QUERY)
    assert (answer.headers["X-ClickHouse-Format"], tsv(answer.content)[0]) == ("TabSeparated", ["0", "é0"])


def test_unknown_ones_are_refused(url: str) -> None:
    for answer in (
        httpx.post(url, content=f"{QUERY} FORMAT Nonsense"),
        httpx.post(url, content=QUERY, params={"default_format": "Nonsense"}),
        httpx.post(url, content=QUERY, params={"default_format": "CSV; DROP"}),
    ):
        assert (answer.status_code, answer.headers["X-ClickHouse-Exception-Code"]) == (404, "73")
