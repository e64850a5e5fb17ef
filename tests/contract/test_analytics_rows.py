"""From the API to rows in a real ClickHouse: what CVAT's conventions say of each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest
from clickhouse_connect.driver.client import Client as ClickHouse
from cvat_sdk import Client

from consumers.forwarder.rows import COLUMNS, table_rows
from infra.eventlog.reader import LogReader

from .analytics import clickhouse, endpoint
from .conftest import Server
from .streets import Street, patch, put, street_of

__all__ = ["clickhouse", "endpoint"]

ANN = ("ann", "battery staple")
OUR_OWN = {"assignee_id"}
"""Keys that CVAT's document of a job does not have."""


@pytest.fixture
def street(client: Client, tmp_path: Path) -> Street:
    return street_of(client, tmp_path)


def forward(server: Server, clickhouse: ClickHouse) -> None:
    """Everything that is in the log."""
    reader = LogReader()
    with server.system.database.connection() as connection:
        batches = list(reader.read(connection, 0, reader.head(connection)))
    rows = [row for events in batches for event in events for row in table_rows(event)]
    clickhouse.insert("cvat.events", rows, list(COLUMNS))


def found(clickhouse: ClickHouse, scope: str) -> list[dict[str, Any]]:
    """The rows of a scope in the order of the log, with their payload decoded."""
    columns = ("obj_name", "obj_id", "count", "task_id", "job_id", "payload")
    statement = f"SELECT {', '.join(columns)} FROM cvat.events WHERE scope = '{scope}' ORDER BY position, row"
    rows = [dict(zip(columns, row, strict=True)) for row in clickhouse.query(statement).result_rows]
    return [row | {"payload": orjson.loads(row["payload"])} for row in rows]


def made(http: httpx.Client, path: str, **fields: Any) -> dict[str, Any]:
    answer = http.post(path, json=fields)
    assert answer.status_code == 201, answer.text
    document: dict[str, Any] = http.get(f"{path}/{answer.json()['id']}").json()
    return document


def said_alike(told: Any, shown: Any) -> bool:
    """Of a person an event knows the id alone."""
    return told == shown or (isinstance(told, dict) and told.keys() == {"id"} and told["id"] == shown["id"])


def test_what_came_is_told_as_the_api_shows_it(server: Server, http: httpx.Client, clickhouse: ClickHouse) -> None:
    ann = server.add_user(ANN)
    project = made(http, "/api/projects", name="zoo", assignee_id=ann, labels=[{"name": "cat", "color": "#112233"}])
    task = made(
        http, "/api/tasks", name="cats", project_id=project["id"], subset="train", bug_tracker="https://b.example"
    )
    own = made(http, "/api/tasks", name="dogs", segment_size=4, overlap=1, assignee_id=ann, labels=[{"name": "dog"}])
    labels = [http.get("/api/labels", params=of).json()["results"][0] for of in
              ({"project_id": project["id"]}, {"task_id": own["id"]})]  # fmt: skip
    token = made(http, "/api/auth/access_tokens", name="night import", read_only=True)
    people = http.get("/api/users", params={"sort": "id"}).json()["results"]
    forward(server, clickhouse)
    for scope, documents, names in (
        ("create:project", [project], ["zoo"]),
        ("create:task", [task, own], ["cats", "dogs"]),
        ("create:label", labels, ["cat", "dog"]),
        ("create:accesstoken", [token], [None]),
        ("create:user", people, ["admin", "ann"]),
    ):
        rows = found(clickhouse, scope)
        assert [(row["obj_name"], row["obj_id"]) for row in rows] == [
            (name, document["id"]) for name, document in zip(names, documents, strict=True)
        ]
        for row, document in zip(rows, documents, strict=True):
            agree(row["payload"], document)


def agree(payload: dict[str, Any], document: dict[str, Any]) -> None:
    assert payload.pop("request").keys() >= {"id", "user_agent"}
    assert payload.keys() <= document.keys() | OUR_OWN
    assert not payload.keys() & {"id", "url"}
    assert [key for key in payload.keys() & document.keys() if not said_alike(payload[key], document[key])] == []


def test_jobs_issues_and_comments_too(
    server: Server, street: Street, http: httpx.Client, clickhouse: ClickHouse
) -> None:
    job_ids = [street.last.id, street.first.id]
    jobs = [http.get(f"/api/jobs/{job_id}").json() for job_id in job_ids]
    issue = made(http, "/api/issues", frame=1, position=[1.0, 2.0], job=street.first.id, message="A car?")
    (comment,) = http.get("/api/comments", params={"issue_id": issue["id"]}).json()["results"]
    forward(server, clickhouse)
    for scope, documents in (("create:job", jobs), ("create:issue", [issue]), ("create:comment", [comment])):
        by_id = {document["id"]: document for document in documents}
        rows = found(clickhouse, scope)
        assert {row["obj_id"] for row in rows} == by_id.keys()
        for row in rows:
            agree(row["payload"], by_id[row["obj_id"]])
    assert found(clickhouse, "create:comment")[0]["obj_name"] == "A car?"


def test_an_upload_is_told_by_the_fields_of_the_task_that_it_changes(
    server: Server, street: Street, clickhouse: ClickHouse
) -> None:
    """Four frames in a job, of which two overlap, are as they were asked for."""
    forward(server, clickhouse)
    updates = found(clickhouse, "update:task")
    assert {row["task_id"] for row in updates} == {street.task.id}
    assert {row["obj_name"]: row["payload"]["old_value"] for row in updates} == {"mode": "", "dimension": ""}


def keyframes(*frames: tuple[int, bool]) -> list[dict[str, Any]]:
    return [
        {"type": "rectangle", "frame": frame, "points": [0, 0, 1, 1], "outside": outside} for frame, outside in frames
    ]


def test_tracks_tell_how_many_more_shapes_are_visible(
    server: Server, street: Street, http: httpx.Client, clickhouse: ClickHouse
) -> None:
    car = {"frame": 0, "label_id": street.car.id}
    first = patch(http, street.url, "create", tracks=[car | {"shapes": keyframes((0, False), (2, True))}])["tracks"][0]
    redrawn = first | {"shapes": [first["shapes"][0]]}
    patch(http, street.url, "update", tracks=[redrawn])
    second = put(http, street.url, tracks=[car | {"frame": 3, "shapes": keyframes((3, False))}])["tracks"][0]
    assert http.delete(street.url).status_code == 204
    forward(server, clickhouse)

    def told(scope: str) -> list[Any]:
        rows = found(clickhouse, scope)
        assert {(row["obj_name"], row["count"], row["job_id"]) for row in rows} == {("rectangle", 1, street.first.id)}
        return [
            (track["id"], [shape["id"] for shape in track["shapes"]], track["visible_shapes_count_diff"])
            for row in rows
            for track in row["payload"]["tracks"]
        ]

    begin, end = (shape["id"] for shape in first["shapes"])
    (only,) = (shape["id"] for shape in second["shapes"])
    assert told("create:tracks") == [(first["id"], [begin, end], 2), (second["id"], [only], 1)]
    assert told("update:tracks") == [(first["id"], [begin], 2)]
    assert told("delete:tracks") == [(first["id"], [begin], -4), (second["id"], [only], -1)]


def test_issues_and_comments_go_and_come_back_with_their_task(
    server: Server, street: Street, http: httpx.Client, clickhouse: ClickHouse
) -> None:
    issue = made(http, "/api/issues", frame=1, position=[1.0, 2.0], job=street.first.id, message="A car?")
    taken_back = made(http, "/api/comments", issue=issue["id"], message="Never mind.")
    assert http.delete(f"/api/comments/{taken_back['id']}").status_code == 204
    assert http.delete(f"/api/tasks/{street.task.id}").status_code == 204
    answer = http.post("/api/log/restore", json={"stream": f"task-{street.task.id}"})
    assert answer.is_success, answer.text
    forward(server, clickhouse)
    for verb in ("delete", "restore"):
        (gone,) = found(clickhouse, f"{verb}:issue")
        assert (gone["obj_id"], gone["task_id"], gone["job_id"]) == (issue["id"], street.task.id, street.first.id)
        assert [row["obj_name"] for row in found(clickhouse, f"{verb}:comment")] == {
            "delete": ["Never mind.", "A car?"],
            "restore": ["A car?"],
        }[verb]
    assert http.get(f"/api/issues/{issue['id']}").json()["comments"]["count"] == 1


def test_access_tokens_end_with_their_account(server: Server, http: httpx.Client, clickhouse: ClickHouse) -> None:
    ann = server.add_user(ANN)
    token = made(server.http(ANN), "/api/auth/access_tokens", name="night import")
    assert http.delete(f"/api/users/{ann}").status_code == 204
    forward(server, clickhouse)
    (row,) = found(clickhouse, "delete:accesstoken")
    assert (row["obj_id"], row["payload"]["name"]) == (token["id"], "night import")
