"""Rows without people: of every event, nothing is left that names or numbers somebody, and codes still join."""

from __future__ import annotations

import re
from dataclasses import asdict
from typing import Any

import orjson
import pytest

import domain.events  # noqa: F401  (registers every event type)
from consumers.forwarder.people import CODED, LEFT_OUT, NESTED, PLAIN
from consumers.forwarder.rows import COLUMNS, table_rows
from consumers.forwarder.shaping import redact, shaper
from consumers.forwarder.transform.scopes import SCOPES
from domain.event import Body, Event, Metadata, body_types
from domain.events.job import JobAssigned
from domain.events.project import ProjectChanged
from domain.events.request import RequestFailed, RequestQueued
from domain.events.task import TaskCreated
from domain.events.telemetry import ClientEventsReported, ServerEventsReported
from domain.events.user import UserDeleted, UserProfileChanged, UserRegistered

from .golden.examples import BODIES
from .test_forwarder_batches import MARCH

FAR = 880_000_000
"""Added to what numbers people, so that it is seen wherever it stands."""
ANN, BOB = FAR + 5, FAR + 6
PERSONAL = re.compile(r"(user|owner|assignee|token)(_id)?$|access_tokens")
WORDS = re.compile(r"(?<![a-z])(ann|bob|smith|jones|secretary)(?![a-z])", re.IGNORECASE)
HASHED = shaper([redact([], [], b"secret", people=True)])
REMOVED = shaper([redact([], [], None, people=True)])

STAMP = MARCH.isoformat()
SPOKEN: list[Body] = [
    UserRegistered(ANN, "ann", "ann@smith.org", "Ann", "Smith", True, "hash"),
    UserProfileChanged(ANN, {"email": {"from": "ann@smith.org", "to": "ann@jones.org"}}),
    UserDeleted(BOB, "bob", [{"id": FAR + 7, "name": "bob's phone"}]),
    TaskCreated(7, None, "photos", ANN, BOB, "", "", 0, None, 0, None, None, None),
    ProjectChanged(3, {"owner_id": {"from": ANN, "to": BOB}, "name": {"from": "cats", "to": "dogs"}}),
    JobAssigned(11, 7, None, BOB, "bob", ANN),
    RequestQueued(f"action=export&target=task&target_id=7&user_id={ANN}", "export", "export", "task", "dataset", ANN,
                  "ann", None, 7, None, {"format": "COCO 1.0", "filename": "for bob.zip", "user_id": BOB}),
    RequestFailed(f"action=export&target=task&target_id=7&user_id={ANN}", 7, "ann may not"),
    ClientEventsReported(ANN, "2026-03-01", [
        {"scope": "click:element", "timestamp": STAMP, "obj_name": "ann", "obj_val": "bob", "obj_id": BOB,
         "payload": orjson.dumps({"user": "ann", "id": BOB, "text": ["bob"], "working_time": 3}).decode()},
        {"scope": "send:exception", "timestamp": STAMP, "payload": orjson.dumps(["ann", ANN]).decode()},
    ], [], "10.0.0.7"),
    ServerEventsReported("host-1", "2026-03-01", [
        {"scope": "send:exception", "timestamp": STAMP, "count": 1, "user_id": ANN, "user_name": "ann",
         "payload": {"message": "no user bob", "stack": "at ann", "basename": "task", "status_code": 404,
                     "request": {"url": f"/api/users/{BOB}", "query_params": {"owner": "bob"}, "method": "GET",
                                 "id": "ann-1", "user_agent": "ann's browser"}}},
    ]),
]  # fmt: skip


def far(value: Any, *, personal: bool = False) -> Any:
    """An event's data with other numbers for people."""
    if isinstance(value, dict):
        return {key: far(each, personal=personal or bool(PERSONAL.search(key))) for key, each in value.items()}
    if isinstance(value, list):
        return [far(each, personal=personal) for each in value]
    return value + FAR if personal and isinstance(value, int) and not isinstance(value, bool) else value


def example(body: Body) -> Body:
    """One of each type, of people whose numbers can be told from other numbers."""
    return body_types()[body.type_name](**far(asdict(body)))


def event(body: Body) -> Event:
    meta = Metadata(MARCH, "api", ANN, "ann", None, None, "ann-1", None, "ann's browser", None, FAR, "ann@smith.org")
    return Event(body.stream, 1, body, meta, 9)


def named(body: Body, rows: Any = HASHED) -> list[dict[str, Any]]:
    return [dict(zip(COLUMNS, row, strict=True)) for row in rows(event(body))]


@pytest.mark.parametrize("rows", [HASHED, REMOVED], ids=["hashed", "removed"])
@pytest.mark.parametrize("body", [*map(example, BODIES), *SPOKEN], ids=lambda body: body.type_name)
def test_nobody_is_named_or_numbered(body: Body, rows: Any) -> None:
    for row in rows(event(body)):
        text = orjson.dumps(row).decode()
        assert not re.search(rf"\b{str(FAR)[:4]}\d{{5}}\b", text), text
        assert not WORDS.search(text), text
        assert "@" not in text, text
        assert "10.0.0.7" not in text, text


@pytest.mark.parametrize("body", SPOKEN, ids=lambda body: body.type_name)
def test_before_somebody_was(body: Body) -> None:
    text = orjson.dumps(table_rows(event(body))).decode()
    assert WORDS.search(text)
    assert str(FAR)[:4] in text


def test_what_tells_nothing_of_anybody_stays() -> None:
    (row,) = named(SPOKEN[3])
    assert (row["scope"], row["obj_name"], row["obj_id"], row["stream"]) == ("create:task", "photos", 7, "task-7")
    assert orjson.loads(row["payload"])["status"] == "annotation"
    owner, name = named(SPOKEN[4])
    assert (owner["obj_name"], name["obj_name"], name["obj_val"]) == ("owner", "name", "dogs")
    assert orjson.loads(name["payload"])["old_value"] == "cats"
    queued, asked = named(SPOKEN[6])
    assert orjson.loads(queued["payload"])["params"].keys() == {"format", "user_id"}
    assert orjson.loads(asked["payload"])["format"] == "COCO 1.0"
    (failed,) = named(SPOKEN[9])
    payload = orjson.loads(failed["payload"])
    assert (payload["status_code"], payload["request"]["method"]) == (404, "GET")
    clicked, _ = named(SPOKEN[8])
    assert orjson.loads(clicked["payload"]) == {"id": clicked["obj_id"], "working_time": 3}


def test_somebody_is_the_same_wherever_they_stand() -> None:
    (registered,), (created,) = named(SPOKEN[0]), named(SPOKEN[3])
    ann, name = registered["user_id"], registered["user_name"]
    assert (registered["obj_id"], registered["obj_name"]) == (ann, name)
    payload = orjson.loads(created["payload"])
    assert payload["owner"] == {"id": ann}
    assert payload["request"]["id"] == created["correlation_id"]
    owner, _ = named(SPOKEN[4])
    bob = payload["assignee"]["id"]
    assert (owner["obj_id"], owner["obj_val"]) == (bob, str(bob))
    assert orjson.loads(owner["payload"])["old_value"] == ann
    (assigned,) = named(SPOKEN[5])
    assert assigned["obj_id"] == bob
    gone, _ = named(SPOKEN[2])
    assert assigned["obj_val"] == gone["obj_name"], "by name, too"
    assert orjson.loads(named(SPOKEN[6])[0]["payload"])["owner_id"] == ann


def test_listing_a_column_that_has_people_in_it_changes_no_code() -> None:
    twice = shaper([redact(["user_id", "stream", "obj_id"], [], b"secret", people=True)])
    (row,) = named(SPOKEN[0], twice)
    assert (row["user_id"], row["obj_id"]) == (row["user_id"], row["user_id"])
    assert row["stream"] == named(SPOKEN[0])[0]["stream"]


def test_every_key_of_the_reference_is_known_for_what_it_tells() -> None:
    keys = {key for scope in SCOPES for key in scope.payload} - {"old_value"}
    assert keys <= PLAIN | CODED | NESTED | LEFT_OUT
    assert not PLAIN & (CODED | NESTED | LEFT_OUT)
