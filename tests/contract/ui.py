"""CVAT's web UI as a server sees it: its cookies, its `org` parameter, its calls in their order.

Recorded from the unmodified UI of CVAT 2.73. Its pages are in `ui_pages`.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from .conftest import ADMIN, Server
from .shared import running

ACCEPT = "application/json, text/plain, */*"
OBJECT = re.compile(r"/\d+$")
CLOCK = "2026-11-20T12:00:00.000Z"
SECONDS = 60.0
Json = Any

FATAL: dict[str, tuple[str, ...]] = {
    "user": ("id", "username"),
    "task": ("id",),
    "project": ("id",),
    "listed job": ("id", "dimension"),
    "job": ("id", "dimension", "start_frame", "stop_frame", "data_chunk_size", "data_compressed_chunk_type"),
    "meta": ("frames", "deleted_frames", "chunk_size", "start_frame", "stop_frame"),
    "frame": ("width", "height", "name", "related_files"),
    "label": ("id", "attributes", "color", "type"),
    "shape": ("id", "label_id", "type", "frame", "points", "attributes"),
    "issue": ("id", "position"),
    "comment": ("id", "issue"),
    "request": ("id", "status", "operation", "owner"),
    "format": ("name", "ext", "version", "enabled", "dimension"),
}
"""Fields without which a page of the UI crashes or hangs, or is of no use."""


def having(what: str, found: Json) -> Json:
    """The same, if no field is missing that is fatal."""
    missing = [field for field in FATAL[what] if field not in found]
    assert not missing, f"a {what} without {', '.join(missing)}: {found}"
    return found


def logic(**fields: int) -> str:
    """The JSON Logic filter that wants all of these."""
    return json.dumps({"and": [{"==": [{"var": name}, value]} for name, value in fields.items()]})


class Browser:
    """A tab with the UI in it. Where it asks, every answer must be a success unless it is told what to expect."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=60)
        self.url = url

    def close(self) -> None:
        self._client.close()

    def send(
        self, method: str, path: str, *, expect: int = 200, headers: dict[str, str] | None = None, **request: Any
    ) -> httpx.Response:
        """An XHR as the UI sends it; `params` beside the workspace's."""
        params = {**request.pop("params", {}), **({} if _without_org(method, path) else {"org": ""})}
        token = self._client.cookies.get("csrftoken")
        sent = {"Accept": ACCEPT, **({"X-CSRFTOKEN": token} if token else {}), **(headers or {})}
        answer = self._client.request(method, path, params=params, headers=sent, **request)
        assert answer.status_code == expect, f"{method} {path}: {answer.status_code} {answer.text[:500]}"
        if method == "GET" and OBJECT.search(path):
            # Any other organization than the chosen one makes the UI change it and load the page again.
            assert answer.json().get("organization") is None, path
        return answer

    def get(self, path: str, **params: Any) -> Json:
        return self.send("GET", path, params=params).json()

    def fetch(self, path: str, **params: Any) -> httpx.Response:
        """As a worker of the UI or a link of its page asks: with the cookie alone."""
        return self._client.get(path, params=params)

    def every(self, path: str, **params: Any) -> list[Json]:
        """All objects of a list: the UI asks on until it holds as many ids as `count` says."""
        found: dict[int, Json] = {}
        for page in range(1, 4):
            answer = self.get(path, **params, page_size=500, page=page)
            found |= {each["id"]: each for each in answer["results"]}
            if len(found) == answer["count"]:
                return list(found.values())
        raise AssertionError(f"{path} never holds the {answer['count']} objects that it counts")

    def report(self, *scopes: str, **place: int) -> None:
        """Telemetry, as at the opening of a job, at a save and at a logout."""
        events = [{"scope": scope, "timestamp": CLOCK, "payload": "{}", **place} for scope in scopes]
        self.send("POST", "/api/events", expect=201, json={"events": events, "timestamp": CLOCK})

    def finished(self, request_id: str) -> Json:
        """Asks for a request until it has finished. The id goes into the path as it is."""
        deadline = time.monotonic() + SECONDS
        while True:
            found = having("request", self.get(f"/api/requests/{request_id}"))
            if found["status"] not in ("queued", "started"):
                assert found["status"] == "finished", found
                return found
            assert time.monotonic() < deadline, found


def _without_org(method: str, path: str) -> bool:
    return bool(OBJECT.search(path)) or path.endswith("/users") or (method, path) == ("GET", "/api/invitations")


def boot(browser: Browser) -> Json | None:
    """What every load of the page asks first; returns the user, None for one who is not logged in."""
    browser.send("GET", "/api/server/health/", params={"format": "json"})
    user = browser.send("GET", "/api/users/self", expect=_logged_in(browser, 200, 401)).json()
    if _logged_in(browser, True, False):
        having("user", browser.get("/api/users/self"))
    assert browser.get("/api/user-agreements") == []
    about = browser.get("/api/server/about")
    assert about["version"]
    assert browser.fetch(about["logo_url"].removeprefix(browser.url)).status_code == 200
    paths = browser.get("/api/schema/", scheme="json")["paths"]
    assert "/api/auth/login" in paths
    return _after_login(browser, user) if _logged_in(browser, True, False) else None


def _logged_in(browser: Browser, yes: Any, no: Any) -> Any:
    return yes if browser._client.cookies.get("sessionid") else no


def _after_login(browser: Browser, user: Json) -> Json:
    formats = browser.get("/api/server/annotation/formats")
    for each in formats["importers"] + formats["exporters"]:
        having("format", each)
    assert isinstance(browser.get("/api/server/plugins"), dict)
    browser.send("HEAD", "/api/lambda/functions", expect=404)
    assert browser.get("/api/organizations")["results"] == []
    unanswered = logic(user_id=user["id"], accepted=False)
    assert browser.get("/api/invitations", filter=unanswered)["results"] == []
    for request in browser.every("/api/requests"):
        having("request", request)
    return having("user", user)


def log_in(browser: Browser, credentials: tuple[str, str]) -> Json:
    username, password = credentials
    browser.send("POST", "/api/auth/login", json={"username": username, "password": password})
    having("user", browser.get("/api/users/self"))
    user = boot(browser)
    assert user is not None
    return user


def log_out(browser: Browser) -> None:
    browser.report("user:activity")
    browser.send("POST", "/api/auth/logout")
    browser.send("GET", "/api/users/self", expect=401)


@pytest.fixture(scope="module")
def site(postgres: str) -> Iterator[Server]:
    with running(postgres) as server:
        server.start_agent()
        yield server


@pytest.fixture(scope="module")
def browser(site: Server) -> Iterator[Browser]:
    """Logged in as the administrator."""
    browser = Browser(site.url)
    log_in(browser, ADMIN)
    yield browser
    browser.close()
