"""Parts of CVAT that are not here: the web UI finds nothing in them, and is told so where it wants something."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from .conftest import ADMIN, Server
from .shared import head, running

PAGE = {"count": 0, "next": None, "previous": None, "results": []}


@pytest.fixture(scope="module")
def host(postgres: str) -> Iterator[Server]:
    with running(postgres) as server:
        yield server


@pytest.fixture
def anyone(host: Server) -> Iterator[httpx.Client]:
    """A client without credentials."""
    with httpx.Client(base_url=host.url, timeout=60) as client:
        yield client


@pytest.fixture
def http(host: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=host.url, auth=ADMIN, timeout=60) as client:
        yield client


@pytest.mark.parametrize(
    "path",
    ["/api/organizations?filter=%7B%7D&org=", "/api/invitations?page=1&pageSize=10&filter=%7B%7D",
     "/api/memberships?page=1&page_size=10&org=", "/api/cloudstorages?page=1&page_size=12&org=",
     "/api/quality/settings?task_id=7&org=", "/api/quality/reports?job_id=1&target=job&sort=-created_date&org=",
     "/api/quality/conflicts?report_id=1&org=", "/api/consensus/settings?task_id=7&org=",
     "/api/webhooks?filter=%7B%7D&org="],
)  # fmt: skip
def test_lists_are_empty(http: httpx.Client, anyone: httpx.Client, path: str) -> None:
    answer = http.get(path)
    assert (answer.status_code, answer.json()) == (200, PAGE)
    assert anyone.get(path).status_code == 401


def test_lists_without_pages_are_empty(http: httpx.Client, anyone: httpx.Client) -> None:
    for path in ("/api/lambda/functions", "/api/lambda/requests"):
        assert http.get(path, params={"org": ""}).json() == []
    assert anyone.get("/api/user-agreements").json() == []


def test_there_is_no_part_that_runs_functions(http: httpx.Client) -> None:
    assert http.head("/api/lambda/functions").status_code == 404


@pytest.mark.parametrize("kind", ["project", "organization"])
def test_webhooks_know_no_events(http: httpx.Client, kind: str) -> None:
    answer = http.get("/api/webhooks/events", params={"type": kind, "org": ""})
    assert answer.json() == {"webhook_type": kind, "events": []}


def test_webhooks_of_another_kind_are_refused(http: httpx.Client) -> None:
    answer = http.get("/api/webhooks/events", params={"type": "\0"})
    assert (answer.status_code, answer.json()) == (400, {"type": ['"\0" is not a valid choice.']})


@pytest.mark.parametrize(
    "path",
    ["/api/organizations/1", "/api/invitations/x", "/api/memberships/1", "/api/lambda/functions/x",
     "/api/lambda/requests/x", "/api/cloudstorages/1", "/api/quality/settings/1", "/api/quality/reports/1",
     "/api/consensus/settings/1", "/api/webhooks/1", "/api/guides/1", "/api/assets/x", "/api/nothing", "/api"],
)  # fmt: skip
def test_there_is_nothing_in_them(http: httpx.Client, path: str) -> None:
    answer = http.get(path)
    assert (answer.status_code, answer.json()) == (404, {"detail": "Not found."})


@pytest.mark.parametrize(
    ("method", "path", "what"),
    [
        ("POST", "/api/organizations", "Organizations"),
        ("POST", "/api/invitations", "Invitations"),
        ("POST", "/api/cloudstorages", "Cloud storages"),
        ("POST", "/api/lambda/requests", "Functions"),
        ("POST", "/api/guides", "Guides"),
        ("POST", "/api/assets", "Guides"),
        ("POST", "/api/webhooks", "Webhooks"),
        ("POST", "/api/quality/reports", "Quality checks"),
        ("PATCH", "/api/quality/settings/1", "Quality checks"),
        ("POST", "/api/consensus/merges", "Consensus merges"),
        ("PATCH", "/api/guides/1", "Guides"),
        ("DELETE", "/api/memberships/1", "Memberships"),
    ],
)
def test_nothing_can_be_made_in_them(
    http: httpx.Client, anyone: httpx.Client, host: Server, method: str, path: str, what: str
) -> None:
    before = head(host)
    answer = http.request(method, path, json={"name": "x"}, params={"org": ""})
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET, HEAD")
    assert answer.json() == {"detail": f"{what} are not offered by this server yet."}
    assert anyone.request(method, path, json={}).status_code == 401
    assert head(host) == before


def test_they_are_not_promised(anyone: httpx.Client) -> None:
    paths = anyone.get("/api/schema/?scheme=json").json()["paths"]
    assert not [path for path in paths if path.startswith(("/api/organizations", "/api/webhooks", "/api/lambda"))]
