"""Exports of events as CSV, as CVAT's clients ask for them, from a real ClickHouse."""

from __future__ import annotations

import csv
import io
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from clickhouse_connect.driver.client import Client as ClickHouse
from cvat_sdk import Client

from consumers.forwarder.rows import COLUMNS, table_rows
from infra.clickhouse.process import EndpointProcess
from infra.eventlog.reader import LogReader

from .analytics import clickhouse, endpoint
from .conftest import Server

__all__ = ["clickhouse", "endpoint"]

ANN, BEN = ("ann", "correct horse"), ("ben", "correct horse")
PATIENCE = 60.0
CVATS = (
    "scope,obj_name,obj_id,obj_val,source,timestamp,count,duration,project_id,task_id,job_id,user_id,user_name,"
    "user_email,org_id,org_slug,payload,access_token_id"
)
Rows = list[dict[str, str]]


@pytest.fixture
def server(server: Server, endpoint: EndpointProcess) -> Server:
    """With an agent that knows ClickHouse, and no other."""
    server.stop()
    server.start(agents=0)
    server.start_agent(clickhouse=f"http://{endpoint.host}:{endpoint.port}")
    return server


def forward(server: Server, clickhouse: ClickHouse) -> None:
    """Everything that is in the log."""
    reader = LogReader()
    with server.system.database.connection() as connection:
        batches = list(reader.read(connection, 0, reader.head(connection)))
    rows = [row for events in batches for event in events for row in table_rows(event)]
    clickhouse.insert("cvat.events", rows, list(COLUMNS))


def rows_of(answer: httpx.Response) -> Rows:
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.text.splitlines()[0] == ",".join(f'"{name}"' for name in CVATS.split(","))
    return list(csv.DictReader(io.StringIO(answer.text)))


def exported(http: httpx.Client, **filters: Any) -> Rows:
    answer = http.post("/api/events/export", params=filters)
    assert answer.status_code == 202, answer.text
    told = finished(http, answer.json()["rq_id"])
    assert told["status"] == "finished", told
    return rows_of(http.get(told["result_url"]))


def finished(http: httpx.Client, request_id: str) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE
    while True:
        told: dict[str, Any] = http.get(f"/api/requests/{request_id}").raise_for_status().json()
        if told["status"] in ("finished", "failed"):
            return told
        assert time.monotonic() < deadline, told


def history(server: Server) -> dict[str, int]:
    """Two people at work in one project and another. Returns the ids of what they made."""
    for person in (ANN, BEN):
        server.add_user(person)
    ann, ben = server.http(ANN), server.http(BEN)
    project = ann.post("/api/projects", json={"name": "zoo", "labels": [{"name": "cat"}]}).json()["id"]
    task = ann.post("/api/tasks", json={"name": "cats", "project_id": project}).json()["id"]
    ann.patch(f"/api/tasks/{task}", json={"name": 'cats, and "dogs"\nand more'})
    other = ben.post("/api/tasks", json={"name": "birds", "labels": [{"name": "bird"}]}).json()["id"]
    failure = {"scope": "send:exception", "timestamp": datetime.now(UTC).isoformat(), "task_id": task}
    ann.post("/api/events", json={"timestamp": failure["timestamp"], "events": [failure]})
    return {"project": project, "task": task, "other": other}


def test_an_export_holds_what_was_asked_for(server: Server, http: httpx.Client, clickhouse: ClickHouse) -> None:
    http, made = server.http(), history(server)
    forward(server, clickhouse)
    everything = exported(http)
    scopes = [row["scope"] for row in everything]
    assert scopes.count("create:task") == 2
    assert "send:exception" not in scopes
    assert "\\N" not in {value for row in everything for value in row.values()}
    of_task = exported(http, task_id=made["task"], filename="mine")
    assert of_task == [row for row in everything if row["task_id"] == str(made["task"])]
    [renamed] = [row for row in of_task if row["scope"] == "update:task"]
    assert (renamed["obj_name"], renamed["obj_val"]) == ("name", 'cats, and "dogs"\nand more')
    assert {row["user_name"] for row in exported(http, project_id=made["project"])} == {"ann"}
    ben = next(row["user_id"] for row in everything if row["user_name"] == "ben")
    assert exported(http, user_id=ben) == [row for row in everything if row["user_id"] == ben]
    assert exported(http, task_id=made["task"], user_id=ben) == []
    assert http.post("/api/events/export", params={"org_id": 4}).status_code == 404


def test_the_addresses_are_those_of_today(server: Server, clickhouse: ClickHouse) -> None:
    made = history(server)
    ann, address = server.http(ANN), "o'ann@example.org"
    ann.patch(f"/api/users/{ann.get('/api/users/self').json()['id']}", json={"email": address}).raise_for_status()
    forward(server, clickhouse)
    found = {(row["user_name"], row["user_email"]) for row in exported(server.http())}
    assert {("ann", address), ("ben", "")} <= found
    assert {name for name, address in found if address} == {"ann"}
    assert {row["user_email"] for row in exported(ann, task_id=made["task"])} == {address}


def test_it_begins_and_ends_when_it_is_told_to(server: Server, clickhouse: ClickHouse) -> None:
    http, made = server.http(), history(server)
    forward(server, clickhouse)
    everything = exported(http)
    middle = everything[len(everything) // 2]["timestamp"]
    early, late = exported(http, to=f"{middle}Z"), exported(http, **{"from": f"{middle}Z"})
    assert len(early) + len(late) == len(everything) + sum(row["timestamp"] == middle for row in everything)
    created = http.get(f"/api/tasks/{made['task']}").json()["created_date"]
    long_ago = datetime.fromisoformat(created).replace(microsecond=0) - timedelta(days=9)
    clickhouse.command(
        "INSERT INTO cvat.events (scope, source, timestamp, task_id, position, row, rows, stream)"
        f" VALUES ('read:forged', 'server', '{long_ago:%Y-%m-%d %H:%M:%S}', {made['task']}, 1000000, 0, 1, 's')"
    )
    assert "read:forged" not in {row["scope"] for row in exported(http, task_id=made["task"])}
    since = exported(http, task_id=made["task"], **{"from": long_ago.isoformat()})
    assert since[0]["scope"] == "read:forged"


def test_others_get_what_they_did_themselves(server: Server, clickhouse: ClickHouse) -> None:
    made = history(server)
    forward(server, clickhouse)
    ann, ben = server.http(ANN), server.http(BEN)
    assert {row["user_name"] for row in exported(ann)} == {"ann"}
    assert {row["user_name"] for row in exported(ben)} == {"ben"}
    assert ben.post("/api/events/export", params={"user_id": 1}).status_code == 403
    assert ben.post("/api/events/export", params={"task_id": made["task"]}).status_code == 403
    assert ben.post("/api/events/export", params={"job_id": 4711}).status_code == 404
    assert exported(server.http(), job_id=4711) == []  # nothing is known of it, or not any more
    of_ann = ann.post("/api/events/export").json()["rq_id"]
    assert finished(ann, of_ann)["status"] == "finished"
    assert ben.get("/api/events/download", params={"rq_id": of_ann}).status_code == 403
    assert httpx.post(f"{server.url}/api/events/export").status_code == 401


def test_older_clients_ask_in_one_place(server: Server, clickhouse: ClickHouse) -> None:
    history(server)
    forward(server, clickhouse)
    http = server.http()
    begun = http.get("/api/events", params={"user_id": 2})
    assert begun.status_code == 202
    asked = begun.json()
    deadline = time.monotonic() + PATIENCE
    while (status := http.get("/api/events", params=asked).status_code) == 202:
        assert time.monotonic() < deadline
    assert status == 201
    rows = rows_of(http.get("/api/events", params=asked | {"action": "download"}))
    assert {row["user_id"] for row in rows} == {"2"}
    assert server.http(ANN).get("/api/events", params=asked).status_code == 404
    assert http.get("/api/events", params={"query_id": "no number"}).status_code == 404


def test_the_sdk_exports(server: Server, clickhouse: ClickHouse, tmp_path: Path) -> None:
    made = history(server)
    forward(server, clickhouse)
    client: Client = server.sdk()
    result, _ = client.api_client.events_api.create_export(task_id=made["task"], filename="cats.csv")
    told = finished(server.http(), result.rq_id)
    assert told["operation"]["type"] == "export:events"
    answer = server.http().get(told["result_url"])
    assert 'filename="cats.csv"' in answer.headers["content-disposition"]
    assert {row["task_id"] for row in rows_of(answer)} == {str(made["task"])}


def test_without_tables_and_without_a_clickhouse_it_fails_with_a_sentence(
    server: Server, clickhouse: ClickHouse
) -> None:
    http = server.http()
    clickhouse.command("DROP TABLE cvat.events SYNC")
    told = finished(http, http.post("/api/events/export").json()["rq_id"])
    assert (told["status"], told["message"][:28]) == ("failed", "ClickHouse has no events yet")
    server.stop()
    server.start(agents=1)
    http = server.http()
    begun = http.get("/api/events").json()
    deadline = time.monotonic() + PATIENCE
    while (answer := http.get("/api/events", params=begun)).status_code == 202:
        assert time.monotonic() < deadline
    assert (answer.status_code, answer.json()) == (500, {"detail": "This agent knows no ClickHouse, where events are"})


@pytest.mark.parametrize(
    "asked",
    [{"task_id": "x"}, {"from": "yesterday"}, {"to": "9999-99"}, {"user_id": "-1"}, {"location": "cloud_storage"}],
)
def test_what_makes_no_sense_is_refused(server: Server, asked: dict[str, str]) -> None:
    answer = server.http().post("/api/events/export", params=asked)
    assert (answer.status_code, list(answer.json())) == (400, list(asked))
