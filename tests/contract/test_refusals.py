"""Hostile input is refused in CVAT's shapes, never with a failure, and leaves nothing in the log."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from domain.event import Context

from ..unit.domain import given
from .conftest import ADMIN, Server
from .shared import head, running

JSON = {"Content-Type": "application/json"}
LIMIT = 1_000_000
TASK, JOB = 900, 901
HUGE = 10**30


@pytest.fixture(scope="module")
def quiet(postgres: str) -> Iterator[Server]:
    """A server with one task and one job, whose log must not grow any more."""
    with running(postgres, max_json_bytes=LIMIT) as server:
        admin = Context(given.ANN.actor)
        bodies = [given.task(TASK), given.labels(task_id=TASK), given.job(JOB, TASK)]
        server.system.app.record(admin, bodies)
        yield server


@pytest.fixture
def refused(quiet: Server) -> Iterator[httpx.Client]:
    """A client of the administrator's; whatever it does must leave the log as it was."""
    before = head(quiet)
    with httpx.Client(base_url=quiet.url, auth=ADMIN, timeout=60) as client:
        yield client
    assert head(quiet) == before


def task(**fields: Any) -> dict[str, Any]:
    return {"name": "cats", "labels": [{"name": "cat"}]} | fields


def label(**fields: Any) -> dict[str, Any]:
    return task(labels=[{"name": "fine"}, {"name": "bad"} | fields])


def attribute(**fields: Any) -> dict[str, Any]:
    fine = {"name": "age", "input_type": "number", "values": ["1"]}
    return label(attributes=[fine, fine | {"name": "bad"} | fields])


def in_label(errors: dict[str, Any]) -> dict[str, Any]:
    return {"labels": [{}, errors]}


def in_attribute(errors: dict[str, Any]) -> dict[str, Any]:
    return in_label({"attributes": [{}, errors]})


STRING, INTEGER, LIST = ["Not a valid string."], ["A valid integer is required."], ["Expected a list of items."]
REQUIRED, BLANK = ["This field is required."], ["This field may not be blank."]
NUL = ["Null characters are not allowed."]
TOO_LONG = ["Ensure this field has no more than 128 characters."]


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({}, {"name": REQUIRED}),
        (task(name=None), {"name": STRING}),
        (task(name=5), {"name": STRING}),
        (task(name=["cats"]), {"name": STRING}),
        (task(name=""), {"name": BLANK}),
        (task(name="x" * 257), {"name": ["Ensure this field has no more than 256 characters."]}),
        (task(name="a\0b"), {"name": NUL}),
        (task(subset=5), {"subset": STRING}),
        (task(subset="\0"), {"subset": NUL}),
        (task(subset="x" * 65), {"subset": ["Ensure this field has no more than 64 characters."]}),
        (task(bug_tracker={}), {"bug_tracker": STRING}),
        (task(bug_tracker="\0"), {"bug_tracker": NUL}),
        (task(bug_tracker="x" * 2001), {"bug_tracker": ["Ensure this field has no more than 2000 characters."]}),
        (task(segment_size="many"), {"segment_size": INTEGER}),
        (task(segment_size=1.5), {"segment_size": INTEGER}),
        (task(segment_size=-1), {"segment_size": ["Ensure this value is greater than or equal to 0."]}),
        (task(segment_size=HUGE), {"segment_size": ["Ensure this value is less than or equal to 2147483647."]}),
        (task(overlap=[]), {"overlap": INTEGER}),
        (task(overlap=-1), {"overlap": ["Ensure this value is greater than or equal to 0."]}),
        (task(consensus_replicas="x"), {"consensus_replicas": INTEGER}),
        (task(consensus_replicas=1), {"consensus_replicas": ["Must be 0 or 2 to 11."]}),
        (task(consensus_replicas=12), {"consensus_replicas": ["Must be 0 or 2 to 11."]}),
        (task(initial_replicas={}), {"initial_replicas": INTEGER}),
        (task(project_id="x", labels=[]), {"project_id": INTEGER}),
        (task(project_id=0, labels=[]), {"project_id": ["Ensure this value is greater than or equal to 1."]}),
        (task(project_id=77, labels=[]), {"project_id": ['Invalid pk "77" - object does not exist.']}),
        (task(assignee_id=2**62), {"assignee_id": [f'Invalid pk "{2**62}" - object does not exist.']}),
        (task(assignee_id=HUGE), {"assignee_id": [f"Ensure this value is less than or equal to {2**63 - 1}."]}),
        (task(assignee_id="me"), {"assignee_id": INTEGER}),
        (task(source_storage={"location": 5}), {"source_storage": {"location": STRING}}),
        (task(source_storage={"location": "\0"}), {"source_storage": {"location": NUL}}),
        (
            task(target_storage={"cloud_storage_id": HUGE}),
            {"target_storage": {"cloud_storage_id": [f"Ensure this value is less than or equal to {2**63 - 1}."]}},
        ),
        (task(labels={}), {"labels": LIST}),
        (task(labels="cat"), {"labels": LIST}),
        (label(name=None), in_label({"name": STRING})),
        (label(name=""), in_label({"name": BLANK})),
        (label(name="  "), in_label({"name": BLANK})),
        (label(name="\0"), in_label({"name": NUL})),
        (label(name="x" * 65), in_label({"name": ["Ensure this field has no more than 64 characters."]})),
        (label(name="fine"), {"labels": ["All label names must be unique, not: fine"]}),
        (label(color=5), in_label({"color": STRING})),
        (label(color="red"), in_label({"color": ["Write a color as #rrggbb."]})),
        (label(type="blob"), in_label({"type": ['"blob" is not a valid choice.']})),
        (label(svg=5), in_label({"svg": STRING})),
        (label(svg="\0", type="skeleton"), in_label({"svg": NUL})),
        (label(attributes={}), in_label({"attributes": LIST})),
        (label(sublabels=[{"name": "a"}, {}]), in_label({"sublabels": [{}, {"name": REQUIRED}]})),
        (attribute(name=None), in_attribute({"name": STRING})),
        (attribute(name="\0"), in_attribute({"name": NUL})),
        (attribute(input_type="slider"), in_attribute({"input_type": ['"slider" is not a valid choice.']})),
        (attribute(mutable="perhaps"), in_attribute({"mutable": ["Must be a valid boolean."]})),
        (attribute(values="1,2"), in_attribute({"values": LIST})),
        (attribute(values=["1", "\0"]), in_attribute({"values": [{}, NUL]})),
        (attribute(values=["1", {}]), in_attribute({"values": [{}, STRING]})),
        (attribute(default_value={}), in_attribute({"default_value": STRING})),
        (attribute(default_value="\0"), in_attribute({"default_value": NUL})),
        (attribute(default_value="x" * 129), in_attribute({"default_value": TOO_LONG})),
        (attribute(default_value=10**400), in_attribute({"default_value": TOO_LONG})),
    ],
)
def test_every_field_of_a_task_is_checked(refused: httpx.Client, body: dict[str, Any], errors: Any) -> None:
    answer = refused.post("/api/tasks", json=body)
    assert (answer.status_code, answer.json()) == (400, errors)


def test_the_same_fields_are_checked_when_they_change(refused: httpx.Client) -> None:
    for fields in ({"name": "a\0b"}, {"name": ""}, {"subset": "\0"}, {"bug_tracker": "\0"}, {"owner_id": "x"}):
        answer = refused.patch(f"/api/tasks/{TASK}", json=fields)
        assert (answer.status_code, list(answer.json())) == (400, list(fields))


def test_projects_are_checked_too(refused: httpx.Client) -> None:
    for fields in ({"name": "\0"}, {"name": "a", "bug_tracker": "\0"}, {"name": "a", "labels": [{"name": "\0"}]}):
        answer = refused.post("/api/projects", json=fields)
        assert answer.status_code == 400
        assert "Null characters are not allowed." in answer.text


def test_all_errors_are_told_at_once(refused: httpx.Client) -> None:
    answer = refused.post("/api/tasks", json={"segment_size": "x", "labels": [{}, {"name": "a"}, {"name": 1}]})
    assert answer.json() == {
        "name": REQUIRED,
        "segment_size": INTEGER,
        "labels": [{"name": REQUIRED}, {}, {"name": STRING}],
    }


def test_too_many_labels(refused: httpx.Client) -> None:
    answer = refused.post("/api/tasks", json=task(labels=[{"name": str(n)} for n in range(10_001)]))
    assert answer.status_code == 400
    assert list(answer.json()) == ["labels"]
    answer = refused.post("/api/tasks", json=task(labels=[{"name": 1}] * 10_000))
    assert answer.status_code == 400
    assert len(answer.content) < 100_000


BROKEN = [
    b"{",
    b"{'name': 'a'}",
    b'{"name": "a"} and more',
    b'{"name": "\xff\xfe", "labels": []}',
    b'{"name": "\\ud800", "labels": []}',
    b'{"name": "a", "labels": [], "segment_size": 1e}',
    b"[" * 200 + b"]" * 200,
    b"[" * 100_000,
    b'{"a":' * 100_000,
    b"null",
    b"[]",
    b'"name"',
    b"12",
    b"\x00",
    b"\xef\xbb\xbf{}",
    b"name=cats",
]
BODIES = [
    ("POST", "/api/tasks"),
    ("POST", "/api/projects"),
    ("POST", "/api/auth/login"),
    ("PATCH", f"/api/tasks/{TASK}"),
    ("PATCH", f"/api/jobs/{JOB}"),
    ("PUT", f"/api/jobs/{JOB}/annotations/"),
    ("PATCH", f"/api/jobs/{JOB}/annotations/?action=create"),
    ("PUT", f"/api/tasks/{TASK}/annotations/"),
    ("POST", f"/api/tasks/{TASK}/data/"),
]


@pytest.mark.parametrize(("method", "path"), BODIES)
def test_what_is_no_json_object(refused: httpx.Client, method: str, path: str) -> None:
    for body in BROKEN:
        answer = refused.request(method, path, content=body, headers=JSON)
        assert answer.status_code == 400, (body[:60], answer.text)
        assert isinstance(answer.json(), dict | list)


def test_labels_in_labels_in_labels(refused: httpx.Client) -> None:
    nested = b'[{"name": "a", "sublabels": ' * 200 + b"[]" + b"}]" * 200
    for path in ("/api/tasks", "/api/projects"):
        answer = refused.post(path, content=b'{"name": "a", "labels": ' + nested + b"}", headers=JSON)
        assert answer.status_code == 400


@pytest.mark.parametrize(
    "body",
    [
        b'{"name": NaN}',
        b'{"name": "a", "labels": [{"name": "b", "attributes": '
        b'[{"name": "c", "input_type": "number", "values": [NaN]}]}]}',
        b'{"name": "a", "labels": [{"name": "b", "attributes": '
        b'[{"name": "c", "input_type": "number", "default_value": -Infinity}]}]}',
        b'{"name": "a", "segment_size": Infinity}',
        b'{"name": "a", "segment_size": 1e400}',
        b'{"name": "a", "segment_size": ' + b"9" * 5_000 + b"}",
    ],
)
def test_numbers_that_are_none(refused: httpx.Client, body: bytes) -> None:
    answer = refused.post("/api/tasks", content=body, headers=JSON)
    assert answer.status_code == 400, answer.text


def test_other_content_types(refused: httpx.Client) -> None:
    answer = refused.post("/api/tasks", files={"name": ("a.txt", b"cats")})
    assert answer.status_code == 400
    answer = refused.post("/api/tasks", data={"name": "cats"})
    assert answer.status_code == 400
    answer = refused.post("/api/tasks", content=b"cats", headers={"Content-Type": "text/\xff; charset=\xfe".encode()})
    assert answer.status_code == 400


def test_a_body_that_is_too_long(refused: httpx.Client) -> None:
    body = b'{"name": "' + b"x" * LIMIT + b'"}'
    for method, path in BODIES:
        answer = refused.request(method, path, content=body, headers=JSON)
        assert (answer.status_code, list(answer.json())) == (413, ["detail"]), path
        chunked = refused.request(method, path, content=iter([body]), headers=JSON)
        assert chunked.status_code == 413, path


def test_a_field_that_cannot_be_changed(refused: httpx.Client) -> None:
    for path in (f"/api/tasks/{TASK}", f"/api/jobs/{JOB}"):
        answer = refused.patch(path, json={"name": "a", "size": 5} if "tasks" in path else {"task_id": 5})
        assert (answer.status_code, list(answer.json())) == (403, ["detail"])


def test_methods_that_are_not_there(refused: httpx.Client) -> None:
    for method, path in (
        ("DELETE", "/api/tasks"),
        ("PUT", f"/api/tasks/{TASK}"),
        ("POST", f"/api/tasks/{TASK}"),
        ("POST", f"/api/jobs/{JOB}"),
        ("POST", "/api/server/about"),
        ("GET", "/api/auth/login"),
        ("PATCH", "/api/users/self"),
        ("TRACE", "/api/tasks"),
    ):
        answer = refused.request(method, path)
        assert (answer.status_code, answer.json()) == (405, {"detail": f'Method "{method}" not allowed.'}), path


NOWHERE = ["0", "99999", "9" * 18, "9" * 19, "9" * 400, "-1", "1.5", "x", "%00", "%FF", "²", "٣", "1%2F2", "self "]


@pytest.mark.parametrize("noun", ["tasks", "jobs", "projects", "labels", "users", "requests"])
def test_ids_that_are_not_there(refused: httpx.Client, noun: str) -> None:
    for number in NOWHERE:
        answer = refused.get(f"/api/{noun}/{number}")
        assert answer.status_code == 404, number
        for below in ("/annotations/", "/data/meta", "/preview", "/status"):
            assert refused.get(f"/api/{noun}/{number}{below}").status_code == 404, number


def test_paths_that_are_not_there(refused: httpx.Client) -> None:
    for path in ("/", "/api", "/api/", "/api//tasks/1//", "/api/tasks/1/nothing", "/static/../app.py", "/static/%00"):
        answer = refused.get(path)
        assert answer.status_code == 404, path


def test_credentials_that_are_none(refused: httpx.Client, quiet: Server) -> None:
    for credentials in (
        "Basic", "Basic !!!", "Basic /////w==", "Basic YQBiOmMAZA==", "Basic YWRtaW4=", "Token", "Token \xff",
        "Bearer a b", "Digest x", "x" * 5_000,
    ):  # fmt: skip
        answer = httpx.get(f"{quiet.url}/api/tasks", headers={"Authorization": credentials.encode("latin-1")})
        assert (answer.status_code, list(answer.json())) == (401, ["detail"]), credentials
    for cookie in ("sessionid=\xff", "sessionid=;;;=", "sessionid", "sessionid=" + "x" * 5_000):
        answer = httpx.get(f"{quiet.url}/api/tasks", headers={"Cookie": cookie.encode("latin-1")})
        assert answer.status_code == 401, cookie


def test_names_and_passwords_that_are_none(refused: httpx.Client) -> None:
    for fields in (
        {"username": "a\0b", "password": "x"},
        {"email": "a\0b", "password": "x"},
        {"username": "admin", "password": "\0"},
        {"username": 5, "password": "x"},
        {"username": "admin", "password": None},
        {"username": "admin"},
        {"password": "x"},
        {"username": "x" * 151, "password": "x"},
        {"username": "admin", "password": "x" * 1_001},
        {"username": "admin", "password": ""},
    ):
        assert refused.post("/api/auth/login", json=fields).status_code == 400, fields
