"""Who is not logged in learns nothing of what is wrong with what was sent."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest
from fastapi.routing import APIRoute

from api.app import ROUTERS
from api.refused import OPEN_TO_ALL

from .conftest import ADMIN, Server
from .shared import running

CHANGING = {"POST", "PUT", "PATCH", "DELETE"}
ROUTES = sorted(
    {
        (method, re.sub(r"\{.*?\}", "1", route.path))
        for module in ROUTERS
        for route in module.router.routes
        if isinstance(route, APIRoute)
        for method in route.methods & CHANGING
    }
)
WITHOUT_A_LOGIN = {*OPEN_TO_ALL, "/api/auth/logout"}


@pytest.fixture(scope="module")
def host(postgres: str) -> Iterator[Server]:
    with running(postgres) as server:
        yield server


@pytest.mark.parametrize("sent", [b"", b"{}", b"[]", b"{", b'{"name": 5, "events": 5, "type": 5}'])
def test_every_change_asks_for_credentials_before_it_looks_at_the_body(host: Server, sent: bytes) -> None:
    wrong = {"Authorization": "Token wrong"}
    with httpx.Client(base_url=host.url, headers={"Content-Type": "application/json"}) as anybody:
        for method, path in ROUTES:
            expected = {401} if path not in WITHOUT_A_LOGIN else {200, 400, 401}
            answers = [anybody.request(method, path, content=sent, headers=headers) for headers in ({}, wrong)]
            assert {answer.status_code for answer in answers} <= expected, (method, path)


def test_who_has_them_is_told_what_is_wrong(host: Server) -> None:
    def post(path: str, auth: tuple[str, str] | None, **sent: object) -> httpx.Response:
        return httpx.post(host.url + path, json=sent, auth=auth)

    assert post("/api/tasks", ADMIN).status_code == 400
    assert post("/api/tasks", ("admin", "wrong")).status_code == 401
    assert post("/api/auth/login", None, username=[]).status_code == 400
    assert httpx.get(f"{host.url}/api/jobs", params={"page": "x"}).status_code == 401
    assert httpx.get(f"{host.url}/api/tasks/no-number").status_code == 404


def test_an_organization_that_is_not_there_comes_before_the_body_too(host: Server) -> None:
    answer = httpx.post(f"{host.url}/api/tasks", json={}, auth=ADMIN, headers={"X-Organization": "nobody's"})
    assert answer.status_code == 404
