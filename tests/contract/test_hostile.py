"""Hostile input at every place that takes any: refused in CVAT's shape, and nothing has changed."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from fastapi.routing import APIRoute

from api.app import ROUTERS

from ..unit.domain import given
from .conftest import Server
from .hostile import JOB, PROJECT, TASK, assert_refused, attacking, quiet_server

DEEP = 100
JSON_TYPE = {"Content-Type": "application/json"}

TAKE_NO_BODY = re.compile(
    r"POST .*/(logout|export|cancel)|"
    r"POST .*/(data|annotations|dataset)/?|PATCH .*/\{upload_id\}"  # forms and pieces, in test_hostile_uploads
)
"""Routes that look at no JSON, so that none can be wrong."""


@pytest.fixture(scope="module")
def quiet(postgres: str) -> Iterator[Server]:
    with quiet_server(postgres) as server:
        yield server


@pytest.fixture
def attacker(quiet: Server) -> Iterator[httpx.Client]:
    with attacking(quiet) as client:
        yield client


def url_of(path: str) -> str:
    """A route's path with ids of things that are there."""
    known = {"task_id": TASK, "job_id": JOB, "project_id": PROJECT, "user_id": 1, "label_id": given.CAT}
    url = re.sub(r"\{(\w+)(?::\w+)?\}", lambda found: str(known.get(found[1], 1)), path)
    return f"{url}?action=create" if path.rstrip("/").endswith("annotations") else url


WRITES = sorted(
    f"{method} {route.path_format}"
    for module in ROUTERS
    for route in module.router.routes
    if isinstance(route, APIRoute)
    for method in route.methods & {"POST", "PUT", "PATCH"}
    if not TAKE_NO_BODY.fullmatch(f"{method} {route.path_format}")
)

NO_OBJECTS = [
    b'{"name": ' + b"[" * DEEP + b"]" * DEEP,
    b"[" * DEEP + b"]" * DEEP,
    b'{"a":' * 100_000,
    b'{"name": NaN}',
    b'{"name": Infinity, "frame": -Infinity}',
    b'{"name": "\xff\xfe"}',
    b'{"name": "\xc3\x28"}',
    b'{"name": "\\ud800"}',
    b"\xff\xfe{\x00}\x00",
    b"null",
    b'"text"',
    b"1e999",
    b"\x00",
    b"{",
]


@pytest.mark.parametrize("route", WRITES)
def test_what_is_no_json_object(attacker: httpx.Client, route: str) -> None:
    method, path = route.split()
    for body in NO_OBJECTS:
        assert_refused(attacker.request(method, url_of(path), content=body, headers=JSON_TYPE), body[:60])


def nested(value: Any, depth: int = DEEP) -> Any:
    for _ in range(depth):
        value = {"a": [value]}
    return value


HOSTILE_VALUES = [nested(1), 10**400, -(10**30), 1e308, "\0", "a" * 100_000, {"$ref": "x"}, [[[]]]]


@pytest.mark.parametrize("route", WRITES)
def test_a_hostile_value_in_each_field(attacker: httpx.Client, quiet: Server, route: str) -> None:
    """A field that does not count (the drawing of a label that has none) may be passed over; but nothing changes."""
    method, path = route.split()
    for field in _fields(quiet, method, path):
        for value in HOSTILE_VALUES:
            body = json.dumps({field: value, "no such field": value})
            answer = attacker.request(method, url_of(path), content=body, headers=JSON_TYPE)
            if answer.status_code != 200:
                assert_refused(answer, (field, str(value)[:40]))


def _fields(server: Server, method: str, path: str) -> list[str]:
    """What the schema says a body has."""
    schema = httpx.get(f"{server.url}/api/schema/").json()
    operation = schema["paths"].get(path, {}).get(method.lower(), {})
    found = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema", {})
    if "$ref" in found:
        found = schema["components"]["schemas"][found["$ref"].rpartition("/")[2]]
    return list(found.get("properties", {}))


LISTS = sorted(
    url_of(route.path_format)
    for module in ROUTERS
    for route in module.router.routes
    if isinstance(route, APIRoute) and "GET" in route.methods and route.path_format.count("{") == 0
    if route.path_format not in ("/api/log/stream", "/metrics")
    and not route.deprecated  # of old, a GET asked for exports of events
)
SQL = [
    "'; DROP TABLE tasks; --",
    "' OR '1'='1",
    "1) OR (1=1",
    "%' UNION SELECT password_hash FROM users --",
    "\\'; SELECT pg_sleep(10); --",
    "%(viewer)s",
    "%s",
    "{0}",
    "\0",
    "\ud7ff\uffff",
    "a" * 5_000,
]


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("name", ["search", "sort", "filter", "page", "page_size", "name", "owner", "id", "task_id"])
def test_sql_in_questions_is_only_a_text(attacker: httpx.Client, path: str, name: str) -> None:
    plain = attacker.get(path)
    for text in SQL:
        answer = attacker.get(path, params={name: text})
        assert answer.status_code < 500, (path, name, text, answer.text)
        assert "$argon2" not in answer.text
        if answer.status_code != 200:
            assert_refused(answer, text)
    assert attacker.get(path).status_code == plain.status_code


FILTERS = [
    "{",
    "[]",
    "null",
    "NaN",
    '{"==": [{"var": "id"}, NaN]}',
    '{"==": [{"var": "id"}, 1e999]}',
    '{"==": [{"var": "id; DROP TABLE tasks"}, 1]}',
    '{"==": [{"var": "owner.password_hash"}, "x"]}',
    '{"==": [{"var": ["id"]}, 1]}',
    '{"pg_sleep": [10]}',
    '{"and": 5}',
    '{"and": [[1], 2]}',
    '{"!": []}',
    '{"in": [{"var": "name"}]}',
    '{"<=": [1, {"var": "id"}, 2, 3, 4]}',
    '{"and":[' * DEEP + "1" + "]}" * DEEP,
    '{"!":' * 100_000,
    '{"and": [' + ",".join(['{"==": [{"var": "id"}, 1]}'] * 20_000) + "]}",
]


@pytest.mark.parametrize("noun", ["tasks", "jobs", "projects", "labels", "users", "requests", "issues", "comments"])
def test_filters_that_nobody_understands(attacker: httpx.Client, noun: str) -> None:
    for text in FILTERS:
        if len(text) > 60_000:  # more than a server takes in a URL
            continue
        answer = attacker.get(f"/api/{noun}", params={"filter": text})
        assert_refused(answer, text[:80])


def test_huge_numbers_in_filters(attacker: httpx.Client) -> None:
    for number in (10**18, 2**63, 10**40, -(10**40), 1.5, 1e300):
        logic = json.dumps({"and": [{"<=": [{"var": "id"}, number]}]})
        answer = attacker.get("/api/tasks", params={"filter": logic})
        assert answer.status_code in (200, 400), (number, answer.text)
        plain = attacker.get("/api/jobs", params={"task_id": str(number)})
        assert plain.status_code in (200, 400), (number, plain.text)
