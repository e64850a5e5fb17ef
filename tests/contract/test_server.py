"""What every client asks first, and what every answer has: versions, health, the schema, request ids, absolute URLs."""

from __future__ import annotations

import re
from collections.abc import Iterator
from uuid import UUID

import httpx
import pytest
from cvat_sdk import Client, Config
from fastapi.routing import APIRoute
from packaging.version import Version

from api.app import ROUTERS
from infra.formats import registry

from .conftest import ADMIN, Server
from .shared import head, running

METHODS = {"get", "post", "put", "patch", "delete", "head", "options"}
WITH_SLASH = re.compile(r"/(data|annotations|schema|health|backup|dataset)/$")


@pytest.fixture(scope="module")
def host(postgres: str) -> Iterator[Server]:
    """A server that only answers questions."""
    with running(postgres) as server:
        yield server


@pytest.fixture
def anyone(host: Server) -> Iterator[httpx.Client]:
    """A client without credentials."""
    with httpx.Client(base_url=host.url, timeout=60) as client:
        yield client


def test_about(anyone: httpx.Client, host: Server) -> None:
    about = anyone.get("/api/server/about").json()
    assert set(about) == {"name", "description", "version", "logo_url", "subtitle"}
    assert all(isinstance(text, str) and text for text in about.values())
    logo = anyone.get(about["logo_url"])
    assert about["logo_url"].startswith(host.url)
    assert (logo.status_code, logo.headers["content-type"]) == (200, "image/svg+xml")


def test_the_version_suits_the_sdk(anyone: httpx.Client, host: Server) -> None:
    version = Version(anyone.get("/api/server/about").json()["version"])
    assert version.release[:2] == (2, 80)
    assert not version.is_prerelease
    # Raises for a server that it doesn't support.
    with Client(host.url, config=Config(allow_unsupported_server=False)) as client:
        client.login(ADMIN)
        assert Version(str(client.get_server_version())) == version


def test_about_needs_no_right_credentials(anyone: httpx.Client) -> None:
    for path in ("/api/server/about", "/api/server/health/", "/api/server/plugins", "/api/schema/"):
        assert anyone.get(path, headers={"Authorization": "Token wrong"}).status_code == 200


def test_health_and_plugins(anyone: httpx.Client) -> None:
    for path in ("/api/server/health/", "/api/server/health"):
        answer = anyone.get(path)
        assert (answer.status_code, answer.json()) == (200, {"Database": "working"})
    assert anyone.get("/api/server/health/?format=json&org=").status_code == 200
    plugins = anyone.get("/api/server/plugins").json()
    assert set(plugins) == {"GIT_INTEGRATION", "ANALYTICS", "MODELS", "PREDICT"}
    assert not any(plugins.values())


def test_the_formats_are_those_that_are_written_and_read(anyone: httpx.Client) -> None:
    formats = anyone.get("/api/server/annotation/formats", params={"org": ""}).json()
    known = {"exporters": registry.exporters(), "importers": registry.importers()}
    for way, entries in known.items():
        assert [each["name"] for each in formats[way]] == [entry.format.full_name for entry in entries]
        assert all({"name", "ext", "version", "enabled", "dimension"} == set(each) for each in formats[way])
    images = next(each for each in formats["exporters"] if each["name"] == "CVAT for images 1.1")
    assert (images["version"], images["ext"], images["enabled"], images["dimension"]) == ("1.1", "ZIP", True, "2d")


def test_the_web_ui_learns_from_the_schema_what_is_offered(anyone: httpx.Client) -> None:
    schema = anyone.get("/api/schema/", params={"scheme": "json", "org": ""}).json()
    assert {"/api/auth/login", "/api/auth/register", "/api/auth/password/change"} <= set(schema["paths"])
    assert anyone.get("/api/schema").json() == schema


def test_the_schema_lists_what_answers(anyone: httpx.Client) -> None:
    schema = anyone.get("/api/schema/").json()
    assert schema["openapi"].startswith("3.")
    assert schema["info"]["version"] == "2.80.0"
    for path, operations in schema["paths"].items():
        assert path.startswith("/api/")
        for method in METHODS & set(operations):
            url = re.sub(r"\{[^}]*\}", "999", path)
            answer = anyone.request(method, url, headers={"Tus-Resumable": "1.0.0"})
            assert answer.status_code not in (405, 500), f"{method} {path}"
            assert answer.status_code != 404 or "{" in path, f"{method} {path}"


def test_the_schema_lists_every_route(anyone: httpx.Client) -> None:
    """One that it leaves out is the other form, with or without a slash, of one that it lists."""
    listed = {
        (method, path.rstrip("/"))
        for path, operations in anyone.get("/api/schema/").json()["paths"].items()
        for method in METHODS & set(operations)
    }
    routes = {
        (method.lower(), route.path_format.rstrip("/"))
        for module in ROUTERS
        for route in module.router.routes
        if isinstance(route, APIRoute)
        for method in route.methods
    } - {("get", "/metrics"), ("get", "/dashboard")}  # of Prometheus and of people, and no part of the API
    assert routes == listed


def test_the_schema_has_the_paths_of_cvat(anyone: httpx.Client) -> None:
    paths = anyone.get("/api/schema/").json()["paths"]
    assert {
        "/api/server/about", "/api/auth/login", "/api/auth/logout", "/api/users", "/api/users/self", "/api/tasks",
        "/api/tasks/{task_id}", "/api/tasks/{task_id}/data/meta", "/api/jobs", "/api/jobs/{job_id}",
        "/api/jobs/{job_id}/data", "/api/jobs/{job_id}/data/meta", "/api/jobs/{job_id}/preview", "/api/labels",
        "/api/projects", "/api/requests",
    } <= set(paths)  # fmt: skip
    assert not [path for path in paths if path.endswith("/") and not WITH_SLASH.search(path)]


@pytest.mark.parametrize(
    "path",
    ["/api/tasks/999/data", "/api/tasks/999/annotations", "/api/jobs/999/annotations", "/api/jobs/999/data",
     "/api/jobs/999/data/meta"],
)  # fmt: skip
def test_both_forms_answer_without_a_redirect(anyone: httpx.Client, path: str) -> None:
    answers = [anyone.get(f"{path}{slash}?type=preview", auth=ADMIN) for slash in ("", "/")]
    assert [(answer.status_code, answer.json()) for answer in answers] == [(404, {"detail": "Not found."})] * 2


def test_the_docs_need_no_network(anyone: httpx.Client, host: Server) -> None:
    page = anyone.get("/api/docs")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")
    links = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert any(link.endswith(".js") for link in links)
    assert any(link.endswith(".css") for link in links)
    for link in links:
        assert link.startswith("/"), f"{link} is somewhere else"
        answer = anyone.get(link)
        assert answer.status_code == 200, link
        assert len(answer.content) > 100, link
    assert "/api/schema/" in page.text
    assert not re.search(r"https?://(?!127\.0\.0\.1)", page.text)


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/api/server/about", 200),
        ("GET", "/api/schema/", 200),
        ("GET", "/api/docs", 200),
        ("GET", "/static/logo.svg", 200),
        ("GET", "/api/tasks", 200),
        ("GET", "/api/tasks/999", 404),
        ("GET", "/api/tasks/x", 404),
        ("GET", "/api/requests/x", 404),
        ("GET", "/nowhere", 404),
        ("DELETE", "/api/tasks", 405),
        ("POST", "/api/tasks", 400),
        ("POST", "/api/auth/login", 400),
        ("GET", "/api/tasks?page=99", 404),
        ("GET", "/api/tasks?org=nobody", 404),
    ],
)
def test_every_answer_has_an_id(anyone: httpx.Client, method: str, path: str, expected: int) -> None:
    answers = [anyone.request(method, path, auth=ADMIN, headers={"X-Request-Id": "forged"}) for _ in range(2)]
    assert [answer.status_code for answer in answers] == [expected] * 2
    ids = [str(UUID(answer.headers["x-request-id"])) for answer in answers]
    assert ids[0] != ids[1]
    assert all(len(answer.headers.get_list("x-request-id")) == 1 for answer in answers)


def test_without_credentials_there_is_an_id_too(anyone: httpx.Client) -> None:
    answer = anyone.get("/api/tasks")
    assert answer.status_code == 401
    UUID(answer.headers["x-request-id"])


def test_the_id_is_that_of_the_events_it_caused(anyone: httpx.Client, host: Server) -> None:
    task = {"name": "cats", "labels": [{"name": "cat"}]}
    for method, path, body in (
        ("POST", "/api/projects", {"name": "animals"}),
        ("POST", "/api/tasks", task),
        ("PATCH", "/api/tasks/1", {"name": "dogs"}),
        ("POST", "/api/auth/login", {"username": ADMIN[0], "password": ADMIN[1]}),
        ("DELETE", "/api/tasks/1", None),
    ):
        before = head(host)
        answer = anyone.request(method, path, json=body, auth=ADMIN, headers={"User-Agent": "a test"})
        assert answer.is_success, answer.text
        anyone.cookies.clear()
        rows = host.system.database.query(
            "SELECT correlation_id, actor, source, user_agent FROM log.events WHERE position > %s", (before,)
        )
        assert rows, path
        told = {(row["correlation_id"], row["actor"], row["source"], row["user_agent"]) for row in rows}
        assert told == {(answer.headers["x-request-id"], "admin", "api", "a test")}


@pytest.mark.parametrize(
    ("headers", "base"),
    [
        ({}, None),
        ({"Host": "annals.example"}, "http://annals.example"),
        ({"X-Forwarded-Host": "annals.example"}, "http://annals.example"),
        ({"X-Forwarded-Host": "annals.example:8443", "X-Forwarded-Proto": "https"}, "https://annals.example:8443"),
        ({"X-Forwarded-Host": "a.example, b.example", "X-Forwarded-Proto": "https, http"}, "https://a.example"),
    ],
)
def test_urls_are_those_that_the_client_used(
    anyone: httpx.Client, host: Server, headers: dict[str, str], base: str | None
) -> None:
    base = base or host.url
    about = anyone.get("/api/server/about", headers=headers).json()
    assert about["logo_url"] == f"{base}/static/logo.svg"
    task = anyone.post("/api/tasks", json={"name": "cats"}, headers=headers, auth=ADMIN).json()
    number = task["id"]
    assert task["url"] == f"{base}/api/tasks/{number}"
    assert task["owner"]["url"].startswith(f"{base}/api/users/")
    assert task["jobs"]["url"] == f"{base}/api/jobs?task_id={number}"
    assert task["labels"]["url"] == f"{base}/api/labels?task_id={number}"
    anyone.post("/api/tasks", json={"name": "dogs"}, auth=ADMIN)
    page = anyone.get("/api/tasks?page_size=1&name=&search=s", headers=headers, auth=ADMIN).json()
    assert page["next"].startswith(f"{base}/api/tasks?")
    assert page["results"][0]["url"].startswith(f"{base}/api/tasks/")
