"""An INSERT with data is answered 200 when its rows are there, and with the engine's error when they are not."""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Iterator
from pathlib import Path

import clickhouse_connect
import httpx
import pytest
from clickhouse_connect.driver.client import Client
from clickhouse_connect.driver.exceptions import DatabaseError

from infra.clickhouse.process import EndpointProcess

from ..waiting import wait_until

PASSWORD = "writer's"
CONSTRAINT, TOO_MANY_PARTS, MEMORY, THROWN, TIMEOUT = 469, 252, 241, 395, 159
DEDUPLICATED = "SETTINGS non_replicated_deduplication_window = 100"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("clickhouse")


@pytest.fixture(scope="module")
def endpoint(folder: Path) -> Iterator[EndpointProcess]:
    with EndpointProcess(folder, PASSWORD) as running:
        yield running


@pytest.fixture(scope="module")
def url(endpoint: EndpointProcess) -> str:
    return f"http://127.0.0.1:{endpoint.port}/"


@pytest.fixture(scope="module")
def writer(endpoint: EndpointProcess) -> Iterator[Client]:
    client = clickhouse_connect.get_client(
        host="127.0.0.1", port=endpoint.port, username="forwarder", password=PASSWORD
    )
    yield client
    client.close()


def write(url: str, query: str, body: bytes = b"", **parameters: str | int) -> httpx.Response:
    answer = httpx.post(
        url, params={"query": query, **parameters}, content=body, auth=("forwarder", PASSWORD), timeout=60
    )
    assert "/dev/fd" not in answer.text
    return answer


def made(url: str, *statements: str) -> None:
    for statement in statements:
        answer = write(url, statement)
        assert answer.is_success, answer.text


def read(url: str, query: str) -> str:
    return httpx.get(url, params={"query": query}).text.removesuffix("\n")


def code(answer: httpx.Response) -> int:
    return int(answer.headers.get("X-ClickHouse-Exception-Code", 0))


def lines(count: int) -> bytes:
    return b"".join(b'{"a":%d}\n' % number for number in range(count))


class TestWhatTheEngineRefuses:
    @pytest.mark.parametrize(
        ("form", "body"),
        [
            ("VALUES", b"(8), (6 + 1)"),
            ("FORMAT JSONEachRow", b'{"a":8}\n{"a":7}'),
            ("FORMAT RowBinary", b"\x08\0\0\0\0\0\0\0\x07\0\0\0\0\0\0\0"),
        ],
    )
    def test_by_a_constraint(self, url: str, form: str, body: bytes) -> None:
        made(url, "DROP TABLE IF EXISTS checked", "CREATE TABLE checked (a Int64) ORDER BY a")
        made(url, "ALTER TABLE checked ADD CONSTRAINT no_seven CHECK a != 7")
        answer = write(url, f"INSERT INTO cvat.checked {form}\n", body)
        assert (answer.status_code, code(answer)) == (500, CONSTRAINT)
        assert "Constraint `no_seven`" in answer.text
        assert read(url, "SELECT count() FROM checked") == "0"

    def test_by_a_constraint_in_native_form(self, url: str, writer: Client) -> None:
        made(url, "CREATE TABLE native (a Int64, CONSTRAINT no_seven CHECK a != 7) ORDER BY a")
        with pytest.raises(DatabaseError) as caught:
            writer.insert("native", [[7]], ["a"], column_type_names=["Int64"])
        assert caught.value.code == CONSTRAINT
        assert read(url, "SELECT count() FROM native") == "0"

    def test_for_too_many_partitions(self, url: str) -> None:
        made(url, "CREATE TABLE parted (a Int64) PARTITION BY a ORDER BY a")
        assert code(write(url, "INSERT INTO parted FORMAT JSONEachRow", lines(300))) == TOO_MANY_PARTS
        assert read(url, "SELECT count() FROM parted") == "0"

    def test_for_its_memory(self, url: str) -> None:
        made(url, "CREATE TABLE large (a Int64, s String DEFAULT repeat('x', 100)) ORDER BY a")
        insert = "INSERT INTO large FORMAT JSONEachRow"
        assert code(write(url, insert, lines(400_000), max_memory_usage=12_000_000)) == MEMORY
        assert read(url, "SELECT count() FROM large") == "0"
        assert write(url, insert, lines(400_000)).is_success

    @pytest.mark.parametrize("side_by_side", [0, 1])
    def test_in_a_view_behind_the_table(self, url: str, side_by_side: int) -> None:
        for table in ("sevens", "behind"):
            made(url, f"DROP TABLE IF EXISTS {table}", f"CREATE TABLE {table} (a Int64) ORDER BY a {DEDUPLICATED}")
        made(
            url,
            "DROP VIEW IF EXISTS fill",
            "CREATE MATERIALIZED VIEW fill TO behind AS SELECT a + throwIf(a = 7) AS a FROM sevens",
        )
        settings = {
            "parallel_view_processing": side_by_side,
            "insert_deduplication_token": "t",
            "deduplicate_blocks_in_dependent_materialized_views": 1,
        }
        insert = "INSERT INTO sevens FORMAT JSONEachRow"
        assert code(write(url, insert, b'{"a":7}', **settings)) == THROWN
        assert read(url, "SELECT count() FROM behind") == "0"
        made(url, "DROP VIEW fill", "CREATE MATERIALIZED VIEW fill TO behind AS SELECT a FROM sevens")
        assert write(url, insert, b'{"a":7}', **settings).is_success
        assert read(url, "SELECT (SELECT groupArray(a) FROM sevens), groupArray(a) FROM behind") == "[7]\t[7]"

    def test_for_its_time(self, url: str) -> None:
        made(url, "CREATE TABLE late (a Int64) ORDER BY a", "CREATE TABLE slow (a Int64) ORDER BY a")
        made(url, "CREATE MATERIALIZED VIEW delay TO late AS SELECT a + sleepEachRow(1) AS a FROM slow")
        answer = write(url, "INSERT INTO slow FORMAT JSONEachRow", lines(3), max_execution_time=1)
        assert (answer.status_code, code(answer)) == (408, TIMEOUT)
        assert read(url, "SELECT count() FROM late") == "0"

    @pytest.mark.parametrize(
        ("query", "body", "refusal"),
        [
            ("INSERT INTO kinds FORMAT JSONEachRow", b'{"a":"x"}', 27),
            ("INSERT INTO kinds FORMAT JSONEachRow", b'{"a":1}{"a":"x"}', 27),
            ("INSERT INTO kinds FORMAT Native", b"\1\2\3", 33),
            ("INSERT INTO kinds VALUES", b"(1), (zz)", 47),
            ("INSERT INTO kinds FORMAT Nonsense\n", b"1", 73),
            ("INSERT INTO kinds FORMAT Pretty\n", b"1", 85),
            ("INSERT INTO kinds (zz) FORMAT CSV\n", b"1", 16),
            ("INSERT INTO FUNCTION file('x.csv', 'CSV', 'a Int64') FORMAT CSV\n", b"1", 497),
            ("INSERT INTO kinds SETTINGS async_insert = 1 FORMAT CSV\n", b"1", 452),
        ],
    )
    def test_for_what_it_is(self, url: str, query: str, body: bytes, refusal: int) -> None:
        made(url, "CREATE TABLE IF NOT EXISTS kinds (a Int64) ORDER BY a")
        assert code(write(url, query, body)) == refusal
        assert read(url, "SELECT count() FROM kinds") == "0"


class TestWhatItTakes:
    @pytest.mark.parametrize(
        "form",
        [
            "VALUES",
            "FORMAT Values",
            "FORMAT CSV",
            "FORMAT JSONEachRow",
            "FORMAT Native",
            "SETTINGS insert_deduplicate = 0 FORMAT RowBinary",
        ],
    )
    def test_nothing(self, url: str, form: str) -> None:
        made(url, "CREATE TABLE IF NOT EXISTS untouched (a Int64) ORDER BY a")
        answer = write(url, f"INSERT INTO untouched (a) {form}\n")
        assert answer.status_code == 200
        assert json.loads(answer.headers["X-ClickHouse-Summary"])["written_rows"] == "0"

    @pytest.mark.parametrize(
        ("head", "body"),
        [
            ("INSERT INTO settings (`settings`, values) SETTINGS format_csv_delimiter = ';' FORMAT CSV\n", b"1;x\n"),
            ("INSERT INTO TABLE cvat.settings -- FORMAT\n SETTINGS log_comment = 'FORMAT' /* ( */ VALUES", b"(1, 'x')"),
            (
                "insert into settings settings input_format_skip_unknown_fields = 1 format JSONEachRow\n",
                b'{"settings":1}',
            ),
            ("INSERT INTO settings (* EXCEPT(values))\nFORMAT TSV\n", b"1\n"),
            ("INSERT INTO settings -- SETTINGS\nFORMAT TSV\n", b"1\tx\n"),
        ],
    )
    def test_settings_and_column_lists(self, url: str, head: str, body: bytes) -> None:
        made(url, "DROP TABLE IF EXISTS settings")
        made(url, "CREATE TABLE settings (settings UInt64, values String DEFAULT 'x') ORDER BY settings")
        answer = write(url, head, body)
        assert answer.is_success, answer.text
        assert read(url, "SELECT * FROM settings") == "1\tx"

    def test_one_block_whatever_it_is_sent_in(self, url: str) -> None:
        """So a token stands for all of it, also in what views make of it."""
        views = "SETTINGS non_replicated_deduplication_window = 100, max_bytes_to_merge_at_max_space_in_pool = 1"
        made(url, f"CREATE TABLE once (a Int64, s String) ORDER BY a {views}")
        made(url, f"CREATE TABLE evens (a Int64) ORDER BY a {views}")
        made(url, "CREATE MATERIALIZED VIEW fill_evens TO evens AS SELECT a FROM once WHERE a % 2 = 0")
        made(url, "CREATE TABLE sent (a Int64, s String) ORDER BY a")
        made(url, "INSERT INTO sent SELECT number, repeat('x', 400) FROM numbers(60000)")
        settings: dict[str, str | int] = {
            "min_insert_block_size_rows": 1_000_000,
            "min_insert_block_size_bytes": 256 << 20,
            "deduplicate_blocks_in_dependent_materialized_views": 1,
            "parallel_view_processing": 1,
        }
        forms = {"Native": {}, "JSONEachRow": {}, "RowBinary": {"max_block_size": 100}}
        for form, more in forms.items():
            body = httpx.get(url, params={"query": f"SELECT * FROM sent FORMAT {form}"}, timeout=60).content
            for _ in range(2):
                token = {"insert_deduplication_token": form}
                assert write(url, f"INSERT INTO once FORMAT {form}\n", body, **settings, **token, **more).is_success
        parts = "SELECT groupArray(rows) FROM (SELECT * FROM system.parts WHERE active AND table = '{}' ORDER BY name)"
        assert read(url, parts.format("once")) == "[60000,60000,60000]"
        assert read(url, parts.format("evens")) == "[30000,30000,30000]"

    def test_the_summary_counts_what_was_written(self, url: str) -> None:
        made(url, "CREATE TABLE counted (a Int64) ORDER BY a")
        answer = write(url, "INSERT INTO counted FORMAT JSONEachRow", lines(1_000))
        summary = json.loads(answer.headers["X-ClickHouse-Summary"])
        assert (summary["written_rows"], summary["written_bytes"]) == ("1000", "8000")


class TestAnInsertThatIsBrokenOff:
    def test_by_its_client_leaves_nothing(self, url: str, endpoint: EndpointProcess, folder: Path) -> None:
        """However much of it was there: also rows enough for several blocks."""
        made(url, "CREATE TABLE halves (a Int64) ORDER BY a")
        body = lines(1_500_000)
        with begun(endpoint, "halves", len(body) + 1) as client:
            client.sendall(body)
        wait_until(lambda: _nameless(endpoint, folder) == [])
        assert read(url, "SELECT count() FROM halves") == "0"

    def test_by_who_kills_it_leaves_nothing(self, url: str, endpoint: EndpointProcess, folder: Path) -> None:
        made(url, "CREATE TABLE killed (a Int64) ORDER BY a")
        body = lines(1_000)
        with begun(endpoint, "killed", len(body)) as client:
            client.sendall(body[:-1])
            wait_until(lambda: _nameless(endpoint, folder))
            assert "waiting" in write(url, "KILL QUERY WHERE query_id = 'of-killed' ASYNC").text
            client.sendall(body[-1:])
            assert b"QUERY_WAS_CANCELLED" in client.makefile("rb").read()
        assert read(url, "SELECT count() FROM killed") == "0"

    def test_no_file_stays_open(self, url: str, endpoint: EndpointProcess, folder: Path) -> None:
        made(url, "CREATE TABLE tidy (a Int64) ORDER BY a")
        for body in (b'{"a":1}', b'{"a":"x"}', b""):
            for encoding in ("identity", "gzip"):  # nothing of this is gzip: the reading of the body fails
                httpx.post(
                    url,
                    params={"query": "INSERT INTO tidy FORMAT JSONEachRow"},
                    content=body,
                    headers={"Content-Encoding": encoding},
                    auth=("forwarder", PASSWORD),
                )
        wait_until(lambda: _nameless(endpoint, folder) == [])


@contextlib.contextmanager
def begun(endpoint: EndpointProcess, table: str, length: int) -> Iterator[socket.socket]:
    """A connection on which the data of an INSERT of so many bytes can be sent."""
    query = f"query=INSERT+INTO+{table}+FORMAT+JSONEachRow&query_id=of-{table}"
    head = f"POST /?{query} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {length}\r\n"
    head += f"X-ClickHouse-User: forwarder\r\nX-ClickHouse-Key: {PASSWORD}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", endpoint.port), timeout=60) as client:
        client.sendall(head.encode())
        yield client


def _nameless(endpoint: EndpointProcess, folder: Path) -> list[str]:
    """The files without a name that the endpoint has open in its folder."""
    targets = []
    for descriptor in Path(f"/proc/{endpoint.pid}/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            targets.append(str(descriptor.readlink()))
    return [target for target in targets if target.startswith(str(folder)) and target.endswith(" (deleted)")]
