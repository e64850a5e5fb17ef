"""Lists, through CVAT's client and by hand: pages, order, filters, organizations, and who sees what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from cvat_sdk import Client, make_client
from cvat_sdk.api_client import exceptions
from cvat_sdk.core.proxies.tasks import Task

from domain.event import Actor, Context

from ..unit.domain import given
from .conftest import ADMIN, Server
from .shared import running

ANN, BOB = ("ann", "battery staple"), ("bob", "battery staple")
ANNS, BOBS_FOR_ANN, BOBS = 802, 803, 804
TASKS = range(1, 14)
"""Made by the administrator; 1 to 3 are of another subset."""


@dataclass(frozen=True)
class Office:
    """Thirteen tasks of the administrator's. Beside them: one of Ann's, one of Bob's that Ann is assigned to, one of
    Bob's with two jobs, the first of them Ann's.
    """

    server: Server
    ann: int
    bob: int


@pytest.fixture(scope="module")
def office(postgres: str) -> Iterator[Office]:
    with running(postgres) as server:
        ann, bob = server.add_user(ANN), server.add_user(BOB)
        tasks = [
            given.task(n, name=f"Photos {n:02}", owner_id=1, subset="Train" if n > 3 else "Test", segment_size=2)
            for n in TASKS
        ]
        admin = Context(Actor(1, "admin", is_admin=True))
        more = [
            given.task(ANNS, name="ann's", owner_id=ann),
            given.task(BOBS_FOR_ANN, name="bob's for ann", owner_id=bob, assignee_id=ann),
            given.task(BOBS, name="bob's", owner_id=bob),
            given.uploaded(BOBS),
            given.job(71, 1, (0, 1)),
            given.job(72, 1, (2, 3)),
            given.job(73, BOBS, (0, 1), assignee_id=ann),
            given.job(74, BOBS, (2, 3)),
            given.job(75, ANNS, (0, 1)),
        ]
        labels = [given.labels(given.label(90, "zebra"), given.label(91, "ant"), task_id=1)]
        labels += [given.labels(given.label(92), task_id=BOBS)]
        server.system.app.record(admin, [*tasks, *more, *labels])
        yield Office(server, ann, bob)


@pytest.fixture
def sdk(office: Office) -> Iterator[Client]:
    """The administrator's."""
    with make_client(office.server.url, credentials=ADMIN) as client:
        yield client


@pytest.fixture
def admin(office: Office) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=office.server.url, auth=ADMIN, timeout=60) as client:
        yield client


@pytest.fixture
def ann(office: Office) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=office.server.url, auth=ANN, timeout=60) as client:
        yield client


ALL = [BOBS, BOBS_FOR_ANN, ANNS, *reversed(TASKS)]


def ids(client: httpx.Client, path: str) -> list[int]:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return [row["id"] for row in answer.json()["results"]]


def test_pages(admin: httpx.Client, office: Office) -> None:
    first = admin.get("/api/tasks").json()
    assert set(first) == {"count", "next", "previous", "results"}
    assert (first["count"], len(first["results"]), first["previous"]) == (len(ALL), 10, None)
    assert first["next"] == f"{office.server.url}/api/tasks?page=2"
    second = admin.get(first["next"]).json()
    assert (second["count"], second["next"]) == (len(ALL), None)
    assert [row["id"] for row in first["results"] + second["results"]] == ALL
    assert admin.get(second["previous"]).json() == first


def test_links_keep_the_question(admin: httpx.Client) -> None:
    page = admin.get("/api/tasks?page_size=2&page=2&search=photos&sort=name&subset=Train").json()
    assert [row["name"] for row in page["results"]] == ["Photos 06", "Photos 07"]
    for link, number in ((page["next"], "3"), (page["previous"], "1")):
        assert dict(parse_qsl(urlsplit(link).query)) == {
            "page_size": "2", "page": number, "search": "photos", "sort": "name", "subset": "Train",
        }  # fmt: skip


def test_sizes_of_pages(admin: httpx.Client) -> None:
    everything = admin.get("/api/tasks?page_size=all").json()
    assert [row["id"] for row in everything["results"]] == ALL
    assert (everything["next"], everything["previous"]) == (None, None)
    assert ids(admin, "/api/tasks?page_size=3&page=2") == ALL[3:6]
    for size in ("0", "-1", "x", "", "1.5", "9" * 30, "²"):
        assert ids(admin, f"/api/tasks?page_size={size}") == ALL[:10]


def test_pages_that_are_not_there(admin: httpx.Client) -> None:
    for page in ("3", "0", "-1", "x", "", "1.5", "9" * 9, "9" * 30, "²", "%00"):
        answer = admin.get(f"/api/tasks?page={page}")
        assert (answer.status_code, answer.json()) == (404, {"detail": "Invalid page."}), page


def test_an_empty_list_has_a_first_page(admin: httpx.Client) -> None:
    empty: dict[str, Any] = {"count": 0, "next": None, "previous": None, "results": []}
    assert admin.get("/api/tasks?name=nothing").json() == empty
    assert admin.get("/api/requests").json() == empty


def test_the_sdk_reads_every_page(sdk: Client) -> None:
    assert [task.id for task in sdk.tasks.list()] == ALL
    assert [job.id for job in sdk.jobs.list()] == [75, 74, 73, 72, 71]
    assert [user.username for user in sdk.users.list()] == ["bob", "ann", "admin"]


def test_children_through_the_sdk(sdk: Client) -> None:
    task = sdk.tasks.retrieve(1)
    assert isinstance(task, Task)
    assert [job.id for job in task.get_jobs()] == [72, 71]
    assert [label.name for label in task.get_labels()] == ["zebra", "ant"]
    assert [label.name for label in sdk.jobs.retrieve(71).get_labels()] == ["zebra", "ant"]


def test_sorting(admin: httpx.Client) -> None:
    assert ids(admin, "/api/tasks?sort=id&page_size=all") == ALL[::-1]
    assert ids(admin, "/api/tasks?sort=-subset,name&page_size=4") == [4, 5, 6, 7]
    assert ids(admin, "/api/tasks?sort=nothing,-name&search=photos&page_size=2") == [13, 12]
    for hostile in ("id;DROP TABLE tasks", "(SELECT 1)", "%00", "--", ",,,", "-" * 100, "id," * 5_000):
        assert len(ids(admin, f"/api/tasks?sort={hostile}")) == 10, hostile


def test_searching(admin: httpx.Client) -> None:
    assert ids(admin, "/api/tasks?search=PHOTOS 1") == [13, 12, 11, 10, 1]
    assert ids(admin, "/api/tasks?search=test+photos") == [3, 2, 1]
    assert ids(admin, "/api/tasks?search=bob's+FOR") == [BOBS_FOR_ANN]
    assert ids(admin, "/api/tasks?search=%25") == ids(admin, "/api/tasks?search=_") == []
    assert ids(admin, "/api/users?search=BO") == [3]


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/api/tasks?subset=Test", [3, 2, 1]),
        ("/api/tasks?subset=test", []),
        ("/api/tasks?name=Photos 05&subset=Train", [5]),
        ("/api/tasks?owner=bob", [BOBS, BOBS_FOR_ANN]),
        ("/api/tasks?assignee=ann", [BOBS_FOR_ANN]),
        ("/api/tasks?id=7", [7]),
        ("/api/tasks?id=-7", []),
        ("/api/tasks?project_id=1", []),
        ("/api/tasks?id=7&unknown=1", [7]),
        ("/api/tasks?id=7&name=", [7]),
        ("/api/jobs?task_id=1", [72, 71]),
        ("/api/jobs?task_id=1&stage=annotation&state=new&type=annotation", [72, 71]),
        ("/api/jobs?state=completed", []),
        ("/api/jobs?assignee=ann", [73]),
        ("/api/jobs?task_name=bob's", [74, 73]),
        ("/api/users?username=ann", [2]),
        ("/api/users?is_active=false", []),
        ("/api/labels?task_id=1", [90, 91]),
        ("/api/labels?job_id=73", [92]),
        ("/api/labels?task_id=1&name=ant", [91]),
        ("/api/labels", [90, 91, 92]),
        ("/api/labels?name=zebra", [90]),
    ],
)
def test_filters(admin: httpx.Client, path: str, found: list[int]) -> None:
    assert ids(admin, path) == found


def test_filters_through_the_sdk(sdk: Client) -> None:
    page, _ = sdk.api_client.tasks_api.list(subset="Test", sort="id", page_size=2)
    assert ([task.id for task in page.results], page.count) == ([1, 2], 3)
    page, _ = sdk.api_client.jobs_api.list(task_id=BOBS, assignee="ann")
    assert [job.id for job in page.results] == [73]


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("/api/tasks?id=x", "id"),
        ("/api/tasks?id=1.0", "id"),
        ("/api/tasks?id=²", "id"),
        ("/api/tasks?project_id=" + "9" * 30, "project_id"),
        ("/api/jobs?task_id=1,2", "task_id"),
        ("/api/jobs?task_id=1 OR 1=1", "task_id"),
        ("/api/users?is_active=perhaps", "is_active"),
        ("/api/tasks?name=a%00b", "name"),
        ("/api/tasks?search=a%00b", "search"),
        ("/api/labels?task_id=x", "task_id"),
        ("/api/requests?task_id=x", "task_id"),
    ],
)
def test_values_that_no_filter_takes(admin: httpx.Client, path: str, field: str) -> None:
    answer = admin.get(path)
    assert (answer.status_code, list(answer.json())) == (400, [field])
    assert all(isinstance(text, str) for text in answer.json()[field])


def test_texts_that_are_no_utf8_are_only_texts(admin: httpx.Client) -> None:
    assert ids(admin, "/api/tasks?name=%FF%FE") == ids(admin, "/api/tasks?search=%ED%A0%80") == []


def test_labels_want_one_parent(admin: httpx.Client) -> None:
    for question in ("task_id=1&job_id=71", "project_id=1&task_id=1"):
        answer = admin.get(f"/api/labels?{question}")
        assert answer.status_code == 400
        assert isinstance(answer.json(), list)
    for question in ("task_id=999", "job_id=999", "project_id=999"):
        assert admin.get(f"/api/labels?{question}").status_code == 404


def test_the_personal_workspace(admin: httpx.Client, sdk: Client) -> None:
    for path in ("/api/tasks?org=", "/api/tasks?org=&page_size=10"):
        assert ids(admin, path) == ALL[:10]
    assert [row["id"] for row in admin.get("/api/tasks", headers={"X-Organization": ""}).json()["results"]] == ALL[:10]
    both = admin.get("/api/tasks?org=", headers={"X-Organization": ""}).json()
    assert [row["id"] for row in both["results"]] == ALL[:10]
    with sdk.organization_context(""):
        assert [task.id for task in sdk.tasks.list()] == ALL


ORGANIZED: list[tuple[dict[str, str], dict[str, str], int]] = [
    ({"org": "nobody"}, {}, 404),
    ({"org_id": "5"}, {}, 404),
    ({"org_id": "x"}, {}, 404),
    ({}, {"X-Organization": "nobody"}, 404),
    ({"org": "nobody"}, {"X-Organization": "nobody"}, 404),
    ({"org": "a"}, {"X-Organization": "b"}, 400),
    ({"org": ""}, {"X-Organization": "b"}, 400),
    ({"org_id": "5", "org": "a"}, {}, 400),
    ({"org_id": "5", "org": ""}, {}, 400),
    ({"org_id": "5"}, {"X-Organization": "a"}, 400),
]


@pytest.mark.parametrize(("query", "headers", "status"), ORGANIZED)
def test_organizations_that_are_not_there(
    admin: httpx.Client, query: dict[str, str], headers: dict[str, str], status: int
) -> None:
    for method, path in (("GET", "/api/tasks"), ("GET", "/api/tasks/1"), ("GET", "/api/jobs"), ("POST", "/api/tasks")):
        answer = admin.request(method, path, params=query, headers=headers, json={"name": "a"})
        assert answer.status_code == status, path
        assert isinstance(answer.json(), list if status == 400 else dict)


def test_lists_show_what_is_mine(ann: httpx.Client, office: Office) -> None:
    assert ids(ann, "/api/tasks") == [BOBS_FOR_ANN, ANNS]
    assert ids(ann, "/api/jobs") == [75, 73]
    assert ids(ann, "/api/jobs?task_id=1") == ids(ann, "/api/labels") == []
    assert ids(ann, "/api/tasks?owner=admin") == ids(ann, "/api/tasks?search=photos") == []
    assert ann.get("/api/tasks?page_size=1").json()["count"] == 2
    assert ids(ann, "/api/users") == [office.bob, office.ann, 1]
    with make_client(office.server.url, credentials=BOB) as bob:
        assert [task.id for task in bob.tasks.list()] == [BOBS, BOBS_FOR_ANN]
        assert [label.id for label in bob.api_client.labels_api.list()[0].results] == [92]
        with pytest.raises(exceptions.ForbiddenException):
            bob.tasks.retrieve(ANNS)
        with pytest.raises(exceptions.NotFoundException):
            bob.tasks.retrieve(12_345)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        (f"/api/tasks/{ANNS}", 200),
        (f"/api/tasks/{BOBS_FOR_ANN}", 200),
        ("/api/jobs/73", 200),
        ("/api/jobs/73/annotations/", 200),
        ("/api/labels?job_id=73", 200),
        (f"/api/tasks/{BOBS}", 403),
        (f"/api/tasks/{BOBS}/annotations/", 403),
        (f"/api/tasks/{BOBS}/data/meta", 403),
        ("/api/jobs/74", 403),
        ("/api/jobs/74/annotations/", 403),
        ("/api/jobs/74/data/meta", 403),
        ("/api/jobs/74/preview", 403),
        ("/api/labels?job_id=74", 403),
        ("/api/labels?task_id=1", 403),
        ("/api/labels/90", 403),
        ("/api/tasks/12345", 404),
        ("/api/jobs/12345", 404),
        ("/api/jobs/12345/annotations/", 404),
        ("/api/labels/12345", 404),
    ],
)
def test_details_show_what_is_mine(ann: httpx.Client, path: str, status: int) -> None:
    assert ann.get(path).status_code == status


CHANGES: list[tuple[str, str, Any]] = [
    ("PATCH", f"/api/tasks/{BOBS}", {"name": "mine"}),
    ("DELETE", f"/api/tasks/{BOBS}", None),
    ("POST", f"/api/tasks/{BOBS}/data/", {"image_quality": 70}),
    ("PUT", f"/api/tasks/{BOBS}/annotations/", {}),
    ("DELETE", f"/api/tasks/{BOBS}/annotations/", None),
    ("PATCH", "/api/jobs/74", {"state": "completed"}),
    ("PATCH", "/api/jobs/73", {"stage": "acceptance"}),
    ("PATCH", "/api/jobs/73", {"assignee": 2}),
    ("PUT", "/api/jobs/74/annotations/", {}),
    ("PATCH", "/api/jobs/74/annotations/?action=create", {}),
    ("DELETE", "/api/jobs/74/annotations/", None),
]


@pytest.mark.parametrize(("method", "path", "body"), CHANGES)
def test_others_cannot_be_changed(ann: httpx.Client, method: str, path: str, body: Any) -> None:
    answer = ann.request(method, path, json=body)
    assert (answer.status_code, list(answer.json())) == (403, ["detail"])


def test_the_clients_own_lookups_find_what_they_say(sdk: Client) -> None:
    """The SDK turns them into JSON Logic."""
    assert [task.id for task in sdk.tasks.list(id__in=[3, 1, 999])] == [3, 1]
    assert [task.id for task in sdk.tasks.list(name__contains="Photos 1", id__lt=12)] == [11, 10]
    assert [task.id for task in sdk.tasks.list(subset__ne="Train")] == [BOBS, BOBS_FOR_ANN, ANNS, 3, 2, 1]
    assert [task.id for task in sdk.tasks.list(assignee__isset=True)] == [BOBS_FOR_ANN]
    assert [job.id for job in sdk.jobs.list(id__between=(72, 74))] == [74, 73, 72]


def test_a_filter_that_nobody_understands_is_refused(admin: httpx.Client) -> None:
    answer = admin.get("/api/tasks", params={"filter": "no JSON"})
    assert answer.status_code == 400
    assert answer.json()[0].startswith("filter: ")
