"""What a server tells the log of itself: what it refused or failed at, and what its chunk cache gave."""

from __future__ import annotations

import time
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import orjson
import psycopg
import pytest
from cvat_sdk import Client

from api.reporting.exceptions import HIDDEN
from api.reporting.gathering import MANY, MAX_VARIANTS
from consumers.forwarder.rows import COLUMNS, table_rows
from domain.errors import Unavailable
from infra.eventlog.reader import LogReader
from infra.settings import Settings

from .conftest import ADMIN, Server
from .shared import head, last_change
from .streets import street_of

ANN = ("ann", "correct horse")
PATIENCE = 60.0
Row = dict[str, Any]


@pytest.fixture
def gathered(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing is told before the server stops."""
    monkeypatch.setattr("api.reporting.reporter.EXCEPTION_SECONDS", 3_600.0)
    server.stop()
    server.start()


@pytest.fixture
def settings(data_folder: Path) -> Settings:
    return Settings(data=data_folder, server_telemetry="all", request_hold_seconds=50)


def told(server: Server) -> list[Row]:
    """What ClickHouse gets of it, in the order of the log."""
    reader = LogReader()
    with server.system.database.connection() as connection:
        batches = list(reader.read(connection, 0, reader.head(connection), types=["ServerEventsReported"]))
    rows = [row for batch in batches for event in batch for row in table_rows(event)]
    return [
        named | {"payload": orjson.loads(named["payload"])}
        for named in (dict(zip(COLUMNS, row, strict=True)) for row in rows)
    ]


def told_soon(server: Server, scope: str, count: int = 1) -> list[Row]:
    """Those of a scope, as soon as there are so many."""
    found: list[Row] = []
    deadline = time.monotonic() + PATIENCE
    while len(found) < count:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
        with suppress(Unavailable):
            found = [row for row in told(server) if row["scope"] == scope]
    return found


def test_a_refusal_is_told_with_everything_but_secrets(http: httpx.Client, server: Server) -> None:
    answer = http.get("/api/tasks/4711", params={"page": "2", "api_key": "hush"}, headers={"User-Agent": "tests"})
    assert answer.status_code == 404
    [row] = told_soon(server, "send:exception")
    assert (row["source"], row["count"], row["user_name"], row["task_id"]) == ("server", 1, "admin", 4711)
    payload = row["payload"]
    assert payload.pop("process")
    assert payload == {
        "message": "Not found.",
        "stack": "",
        "basename": "task",
        "action": "retrieve",
        "status_code": 404,
        "request": {
            "url": "/api/tasks/4711",
            "query_params": {"page": "2", "api_key": HIDDEN},
            "content_type": "",
            "method": "GET",
            "id": answer.headers["X-Request-Id"],
            "user_agent": "tests",
        },
    }


def test_what_a_form_was_refused_for_is_told_without_what_was_in_it(http: httpx.Client, server: Server) -> None:
    assert http.post("/api/auth/login", json={"username": ["x"], "password": {"is": "hush"}}).status_code == 400
    assert http.post("/api/projects", json={"name": ""}).status_code == 400
    refused, unnamed = told_soon(server, "send:exception", 2)
    assert "hush" not in str(refused)
    assert refused["payload"]["basename"] == "auth"
    assert orjson.loads(unnamed["payload"]["message"]) == http.post("/api/projects", json={"name": ""}).json()


@pytest.mark.usefixtures("gathered")
def test_only_what_is_equal_is_counted_together(server: Server) -> None:
    http = server.http()
    for task in (9000, 9001, 9000, 9002, 9000):
        assert http.get(f"/api/tasks/{task}").status_code == 404
    sent = [{"name": ""}, {"name": 5, "labels": 1}, {"name": ""}, {}]
    messages = [orjson.dumps(http.post("/api/projects", json=each).json()).decode() for each in sent]
    server.stop()
    server.start()
    rows = [row for row in told(server) if row["scope"] == "send:exception"]
    assert {row["user_name"] for row in rows} == {"admin"}
    of_tasks, of_projects = rows[:3], rows[3:]
    assert [(row["task_id"], row["count"]) for row in of_tasks] == [(9000, 3), (9001, 1), (9002, 1)]
    counted = {row["payload"]["message"]: row["count"] for row in of_projects}
    assert counted == {message: messages.count(message) for message in messages}


@pytest.mark.usefixtures("gathered")
def test_a_client_that_makes_up_ever_new_ones_is_told_of_in_few_words(server: Server) -> None:
    http = server.http()
    for task in range(1, 3 * MAX_VARIANTS):
        assert http.get(f"/api/tasks/{task}").status_code == 404
    server.stop()
    server.start()
    rows = [row for row in told(server) if row["scope"] == "send:exception"]
    assert sum(row["count"] for row in rows) == 3 * MAX_VARIANTS - 1
    assert len({row["task_id"] for row in rows}) == MAX_VARIANTS + 1
    together = [row["payload"] for row in rows if row["task_id"] is None]
    assert {(payload["message"], payload["status_code"]) for payload in together} == {(MANY, 404)}


def test_a_failure_is_told_with_its_stack(http: httpx.Client, server: Server) -> None:
    server.services.chunks.total_bytes = None  # type: ignore[method-assign, assignment]
    assert http.get("/metrics").status_code == 500
    [row] = told_soon(server, "send:exception")
    assert row["payload"]["message"] == "TypeError: 'NoneType' object is not callable"
    assert "in collect" in row["payload"]["stack"]


def test_who_is_not_logged_in_and_what_does_not_exist_is_not_told(http: httpx.Client, server: Server) -> None:
    assert httpx.get(f"{server.url}/api/tasks").status_code == 401
    assert httpx.get(f"{server.url}/api/tasks", auth=("admin", "wrong")).status_code == 401
    assert httpx.get(f"{server.url}/wp-login.php").status_code == 404
    assert httpx.post(f"{server.url}/api/tasks", json={}).status_code == 401
    assert httpx.post(f"{server.url}/api/tasks", content="{", auth=("admin", "wrong")).status_code == 401
    assert http.get("/api/tasks/1").status_code == 404
    [row] = told_soon(server, "send:exception")
    assert row["payload"]["request"]["url"] == "/api/tasks/1"


@pytest.mark.usefixtures("gathered")
def test_a_flood_is_counted_and_not_repeated(server: Server) -> None:
    before, tries = last_change(server), 400
    with httpx.Client(base_url=server.url) as anybody:
        for number in range(tries):
            answer = anybody.post("/api/auth/login", json={"username": "", "password": f"guess {number}"})
            assert answer.status_code == 400
    server.stop()
    server.start()
    rows = [row for row in told(server) if row["scope"] == "send:exception"]
    assert [row["count"] for row in rows] == [tries]
    assert (last_change(server), head(server)) == (before, before + 1)


def test_the_chunk_cache_tells_what_goes_in_and_out(
    client: Client, http: httpx.Client, server: Server, tmp_path: Path
) -> None:
    street = street_of(client, tmp_path)
    asked = {"type": "chunk", "index": 0}
    url = f"/api/jobs/{street.first.id}/data"
    size = len(http.get(url, params=asked).content)
    for _ in range(3):
        assert len(http.get(url, params=asked).content) == size
    assert http.get(f"/api/tasks/{street.task.id}/preview").status_code == 200
    server.stop()
    server.start()
    created, preview, *rows = sorted(told(server), key=lambda row: row["scope"])
    assert {row["scope"] for row in rows} == {"read:cache_item"}
    item = {"type": "chunk", "target": "job", "target_id": street.first.id, "number": 0, "quality": "compressed"}
    assert created["payload"]["cache_item"] == item | {"size": size}
    assert (created["payload"]["queue"], created["job_id"], created["user_name"]) == (
        "chunks",
        street.first.id,
        "admin",
    )
    assert sum(row["count"] for row in rows) == 3
    assert sum(row["payload"]["cache_item"]["size"] for row in rows) == 3 * size
    assert (preview["scope"], preview["task_id"]) == ("create:cache_item", street.task.id)
    assert preview["payload"]["cache_item"]["type"] == "preview"


def test_what_a_database_that_is_gone_caused_is_told_when_it_is_back(
    server: Server, postgres: str, database_url: str
) -> None:
    server.stop()
    server.start(agents=0)
    name = urlsplit(database_url).path.strip("/")
    asking = server.http()
    with psycopg.connect(postgres, autocommit=True) as admin:
        asking.get("/api/tasks/1")
        told_soon(server, "send:exception")
        admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS false')
        admin.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", (name,))
        try:
            answer = asking.get("/api/tasks/2")
        finally:
            admin.execute(f'ALTER DATABASE "{name}" ALLOW_CONNECTIONS true')
        assert answer.status_code == 503
        row = told_soon(server, "send:exception", 2)[-1]
    assert (row["payload"]["status_code"], row["task_id"]) == (503, 2)
    assert row["payload"]["message"] == answer.json()["detail"]


@pytest.mark.parametrize("level", ["errors", "off"])
def test_less_can_be_told(server: Server, tmp_path: Path, level: str) -> None:
    server.stop()
    server.settings.server_telemetry = level  # type: ignore[assignment]
    server.start()
    street, http = street_of(server.sdk(), tmp_path), server.http()
    for _ in range(2):
        http.get(f"/api/tasks/{street.task.id}/preview")
    assert http.get("/api/tasks/4711").status_code == 404
    server.stop()
    server.start()
    assert [row["scope"] for row in told(server)] == (["send:exception"] if level == "errors" else [])


def test_only_administrators_see_it(server: Server) -> None:
    server.add_user(ANN)
    assert server.http().get("/api/tasks/4711").status_code == 404
    told_soon(server, "send:exception")
    assert server.http(ADMIN).get("/api/log").json()["results"][-1]["type"] == "ServerEventsReported"
    assert [event["stream"] for event in server.http(ANN).get("/api/log").json()["results"]] == ["user-2"]
