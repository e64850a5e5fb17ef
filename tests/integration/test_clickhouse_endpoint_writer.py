"""Who is the writer of the embedded ClickHouse, and what the writer may do."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from infra.clickhouse.process import EndpointProcess

PASSWORD = "writer's"
SYNTAX, READONLY, DENIED = 62, 164, 497


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """An endpoint with a table `kept`."""
    with EndpointProcess(tmp_path_factory.mktemp("clickhouse"), PASSWORD) as endpoint:
        url = f"http://127.0.0.1:{endpoint.port}/"
        assert write(url, "CREATE TABLE kept (a UInt64) ORDER BY a").is_success
        yield url


def write(url: str, query: str) -> httpx.Response:
    return httpx.post(url, content=query, auth=("forwarder", PASSWORD))


def code(answer: httpx.Response) -> int:
    return int(answer.headers.get("X-ClickHouse-Exception-Code", 0))


class TestCredentials:
    def test_anybody_reads(self, url: str) -> None:
        for auth in (("default", ""), ("default", "x"), ("grafana", "y"), ("", "")):
            assert httpx.post(url, content="SELECT 1", auth=auth).text == "1\n"

    @pytest.mark.parametrize("password", ["", "wrong", PASSWORD.upper(), PASSWORD + "x", "é"])
    def test_the_writer_needs_the_password(self, url: str, password: str) -> None:
        headers = [(b"X-ClickHouse-User", b"forwarder"), (b"X-ClickHouse-Key", password.encode())]
        given = [
            httpx.post(url, content="SELECT 1", auth=("forwarder", password)),
            httpx.post(url, content="SELECT 1", params={"user": "forwarder", "password": password}),
            httpx.post(url, content="SELECT 1", headers=headers),
        ]
        assert [(answer.status_code, code(answer)) for answer in given] == [(403, 516)] * 3

    def test_the_writer_writes_however_it_says_so(self, url: str) -> None:
        query = "CREATE TABLE IF NOT EXISTS mine (a UInt64) ORDER BY a"
        headers = {"X-ClickHouse-User": "forwarder", "X-ClickHouse-Key": PASSWORD}
        assert httpx.post(url, content=query, headers=headers).status_code == 200
        assert httpx.post(url, content=query, params={"user": "forwarder", "password": PASSWORD}).status_code == 200
        assert write(url, query).status_code == 200

    def test_a_get_changes_nothing(self, url: str) -> None:
        answer = httpx.get(url, params={"query": "DROP TABLE kept"}, auth=("forwarder", PASSWORD))
        assert code(answer) == READONLY

    def test_other_schemes_are_refused(self, url: str) -> None:
        answer = httpx.post(url, content="SELECT 1", headers={"Authorization": "Bearer abc"})
        assert (answer.status_code, code(answer)) == (403, 516)


@pytest.mark.parametrize(
    ("query", "refusal"),
    [
        ("SELECT * FROM file('/etc/passwd', LineAsString)", DENIED),
        ("CREATE TABLE f (a String) ENGINE = File(TSV, '/etc/passwd')", DENIED),
        ("SELECT 1 INTO OUTFILE '/tmp/never'", DENIED),
        ("INSERT INTO kept FROM INFILE '/etc/passwd' FORMAT CSV", DENIED),
        ("SYSTEM STOP MERGES", DENIED),
        ("CREATE USER u", DENIED),
        ("CREATE TEMPORARY TABLE x (a Int8)", 48),
        ("DROP TABLE kept; SELECT 1", SYNTAX),
    ],
)
def test_the_writer_has_limits_too(url: str, query: str, refusal: int) -> None:
    assert code(write(url, query)) == refusal


def test_the_writer_may_look_after_its_tables(url: str) -> None:
    for query in (
        "CREATE TABLE changing (a UInt64) ORDER BY a",
        "ALTER TABLE changing ADD COLUMN b String",
        "INSERT INTO changing SETTINGS insert_deduplicate = 0 VALUES (1, 'x')",
        "ALTER TABLE changing DELETE WHERE a = 1 SETTINGS mutations_sync = 1",
        "OPTIMIZE TABLE changing FINAL",
        "CREATE TABLE shadow AS changing",
        "EXCHANGE TABLES changing AND shadow",
        "RENAME TABLE shadow TO old",
        "DROP TABLE old",
        "TRUNCATE TABLE changing",
        "CREATE MATERIALIZED VIEW counted ENGINE = Null AS SELECT a, count() AS n FROM kept GROUP BY a",
        "DROP VIEW counted",
    ):
        assert write(url, query).status_code == 200, query
