"""Users: lists, one's own account, what administrators change, deletion (CVAT contract 1.2 row 35, 7)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from cvat_sdk import make_client
from cvat_sdk.api_client import exceptions, models

from .conftest import ADMIN, Server
from .shared import head, running

ANN = ("ann", "battery staple")
BOB = ("bob", "battery staple")
BASIC = {"url", "id", "username", "first_name", "last_name"}


@pytest.fixture(scope="module")
def host(postgres: str) -> Iterator[Server]:
    """A server with an administrator, Ann and Bob."""
    with running(postgres) as server:
        server.add_user(ANN)
        server.add_user(BOB)
        yield server


@pytest.fixture
def admin(host: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=host.url, auth=ADMIN, timeout=60) as client:
        yield client


@pytest.fixture
def ann(host: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=host.url, auth=ANN, timeout=60) as client:
        yield client


@pytest.fixture
def cy(host: Server, admin: httpx.Client) -> Iterator[int]:
    """A user who is gone after the test."""
    user_id = host.add_user(("cy", "battery staple"))
    yield user_id
    admin.delete(f"/api/users/{user_id}")


def my_id(client: httpx.Client) -> int:
    return int(client.get("/api/users/self").json()["id"])


def status(host: Server, credentials: tuple[str, str]) -> int:
    return httpx.get(f"{host.url}/api/users/self", auth=credentials, timeout=60).status_code


def test_lists_as_the_ui_and_scripts_ask(admin: httpx.Client, ann: httpx.Client) -> None:
    def names(client: httpx.Client, **query: str) -> list[str]:
        return [user["username"] for user in client.get("/api/users", params=query).json()["results"]]

    assert names(ann, limit="10", is_active="true") == ["bob", "ann", "admin"]
    assert names(ann, sort="username") == ["admin", "ann", "bob"]
    assert names(ann, search="AN", sort="id") == ["ann"]
    assert names(ann, username="bob") == ["bob"]
    assert names(ann, is_active="false") == []
    assert names(ann, filter='{"in":[{"var":"username"},["ann","admin"]]}', sort="id") == ["admin", "ann"]
    assert set(ann.get("/api/users").json()["results"][0]) == BASIC
    assert set(admin.get("/api/users").json()["results"][0]) > BASIC | {"email", "is_active"}


def test_the_sdk_edits_its_own_user(host: Server) -> None:
    with make_client(host.url, credentials=ANN) as client:
        me = client.users.retrieve_current_user()
        me.update({"first_name": "Ann", "last_name": "Åberg", "email": "ann@example.org"})
        me.fetch()
        assert (me.first_name, me.last_name, me.email) == ("Ann", "Åberg", "ann@example.org")
        login = {"email": "ANN@example.org", "password": ANN[1]}
        assert httpx.post(f"{host.url}/api/auth/login", json=login, timeout=60).status_code == 200


def test_others_see_the_basics_and_change_nothing(admin: httpx.Client, ann: httpx.Client) -> None:
    other = my_id(admin)
    assert set(ann.get(f"/api/users/{other}").json()) == BASIC
    assert ann.patch(f"/api/users/{other}", json={"first_name": "x"}).status_code == 403
    assert ann.delete(f"/api/users/{other}").status_code == 403
    for number in (999, 2**62):
        answers = [ann.get(f"/api/users/{number}"), ann.patch(f"/api/users/{number}", json={})]
        assert [answer.status_code for answer in answers] == [404, 404]


@pytest.mark.parametrize(
    "change", [{"is_superuser": True}, {"is_staff": True}, {"groups": ["admin"]}, {"is_active": True}]
)
def test_nobody_gives_himself_rights(host: Server, ann: httpx.Client, change: dict[str, Any]) -> None:
    before = head(host)
    answer = ann.patch(f"/api/users/{my_id(ann)}", json={"first_name": "Queen", **change})
    assert answer.status_code == 403
    assert head(host) == before, "nothing of it was done"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"username": "Bob"}, "username"),
        ({"username": ""}, "username"),
        ({"username": "a b"}, "username"),
        ({"username": "x" * 151}, "username"),
        ({"email": "nowhere"}, "email"),
        ({"first_name": "x" * 151}, "first_name"),
        ({"first_name": None}, "first_name"),
        ({"last_name": "nul \0"}, "last_name"),
        ({"password": "a new word"}, "non_field_errors"),
        ({"id": 1}, "non_field_errors"),
    ],
)
def test_what_is_wrong_is_said_at_the_field(
    host: Server, ann: httpx.Client, change: dict[str, Any], field: str
) -> None:
    before = head(host)
    answer = ann.patch(f"/api/users/{my_id(ann)}", json=change)
    assert (answer.status_code, list(answer.json())) == (400, [field]), answer.text
    assert head(host) == before


def test_administrators_say_what_others_may_do(admin: httpx.Client, cy: int) -> None:
    def change(**fields: Any) -> dict[str, Any]:
        answer = admin.patch(f"/api/users/{cy}", json=fields)
        assert answer.status_code == 200, answer.text
        return {name: answer.json()[name] for name in ("groups", "is_staff", "is_superuser")}

    ruling = {"groups": ["admin"], "is_staff": True, "is_superuser": True}
    assert change(groups=["worker"]) == {"groups": ["worker"], "is_staff": False, "is_superuser": False}
    assert change(is_superuser=False)["groups"] == ["worker"]
    assert change(groups=[])["groups"] == []
    assert change(is_superuser=True, is_staff=True) == ruling
    assert change(groups=["user", "admin"]) == ruling
    assert change(is_superuser=False)["groups"] == ["user"]
    assert change(first_name="Cy")["groups"] == ["user"]
    for fields, field in (
        ({"groups": ["kings"]}, "groups"),
        ({"groups": ["none"]}, "groups"),
        ({"groups": ["user"], "is_superuser": True}, "is_superuser"),
        ({"is_staff": True}, "is_staff"),
        ({"groups": "admin"}, "groups"),
    ):
        refused = admin.patch(f"/api/users/{cy}", json=fields)
        assert (refused.status_code, list(refused.json())) == (400, [field])


def test_a_new_administrator_may_do_everything_at_once(host: Server, admin: httpx.Client, cy: int) -> None:
    with httpx.Client(base_url=host.url, auth=("cy", "battery staple"), timeout=60) as client:
        where = f"/api/users/{my_id(admin)}"
        assert set(client.get(where).json()) == BASIC
        admin.patch(f"/api/users/{cy}", json={"groups": ["admin"]})
        assert set(client.get(where).json()) > BASIC
        admin.patch(f"/api/users/{cy}", json={"groups": ["user"]})
        assert set(client.get(where).json()) == BASIC


def test_who_is_locked_out_is_out_at_once(host: Server, admin: httpx.Client, cy: int) -> None:
    credentials = ("cy", "battery staple")
    key = httpx.post(
        f"{host.url}/api/auth/login", json={"username": "cy", "password": credentials[1]}, timeout=60
    ).json()["key"]
    with httpx.Client(base_url=host.url, headers={"Authorization": f"Token {key}"}, timeout=60) as client:
        assert client.get("/api/users/self").status_code == 200
        assert admin.patch(f"/api/users/{cy}", json={"is_active": False}).json()["is_active"] is False
        assert client.get("/api/users/self").status_code == 401
        assert status(host, credentials) == 401
        refusal = client.post("/api/auth/login", json={"username": "cy", "password": credentials[1]})
        assert refusal.json() == {"non_field_errors": ["Unable to log in with provided credentials."]}
        admin.patch(f"/api/users/{cy}", json={"is_active": True})
        assert status(host, credentials) == 200
        assert client.get("/api/users/self").status_code == 401, "the login ended"


def test_the_last_administrator_stays(host: Server, admin: httpx.Client, cy: int) -> None:
    where = f"/api/users/{my_id(admin)}"
    refused = [
        admin.delete(where),
        admin.patch(where, json={"is_active": False}),
        admin.patch(where, json={"groups": ["user"]}),
        admin.patch(where, json={"is_superuser": False}),
    ]
    assert {answer.status_code for answer in refused} == {409}
    assert "last active administrator" in refused[0].json()["detail"]
    assert admin.get(where).json()["groups"] == ["admin"]
    admin.patch(f"/api/users/{cy}", json={"groups": ["admin"]})
    assert admin.patch(where, json={"groups": ["user"]}).json()["is_superuser"] is False
    with httpx.Client(base_url=host.url, auth=("cy", "battery staple"), timeout=60) as client:
        assert client.patch(where, json={"is_superuser": True}).status_code == 200
    assert admin.get("/api/users/self").json()["is_superuser"] is True


def test_what_a_deleted_user_made_stays_with_the_name(host: Server, admin: httpx.Client) -> None:
    credentials = ("dora", "battery staple")
    user_id = host.add_user(credentials)
    with make_client(host.url, credentials=credentials) as dora:
        project = dora.projects.create({"name": "dora's"})
        dora.api_client.users_api.destroy(user_id)
        with pytest.raises(exceptions.UnauthorizedException):
            dora.users.retrieve_current_user()
    assert status(host, credentials) == 401
    owner = admin.get(f"/api/projects/{project.id}").json()["owner"]
    assert (owner["id"], owner["username"]) == (user_id, "dora")
    assert admin.get(f"/api/users/{user_id}").status_code == 404
    assert admin.delete(f"/api/users/{user_id}").status_code == 404
    assert admin.get("/api/users", params={"username": "dora"}).json()["count"] == 0
    assigned = admin.post("/api/projects", json={"name": "for dora", "assignee_id": user_id})
    assert assigned.status_code == 400


def test_the_name_of_a_deleted_user_is_free_but_not_their_things(host: Server, admin: httpx.Client) -> None:
    credentials = ("eve", "battery staple")
    first = host.add_user(credentials)
    with httpx.Client(base_url=host.url, auth=credentials, timeout=60) as client:
        client.post("/api/projects", json={"name": "the first Eve's"})
        assert client.delete(f"/api/users/{first}").status_code == 204
        second = host.add_user(credentials)
        assert second != first
        assert client.get("/api/projects").json()["count"] == 0
    admin.delete(f"/api/users/{second}")


def test_the_low_level_client_reads_every_answer(host: Server, cy: int) -> None:
    with make_client(host.url, credentials=ADMIN) as client:
        api = client.api_client.users_api
        page, _ = api.list(search="cy")
        assert [user.id for user in page.results] == [cy]
        changes = models.PatchedUserRequest(first_name="Cy", groups=["worker"], is_active=True)
        changed, _ = api.partial_update(cy, patched_user_request=changes)
        assert (changed.first_name, changed.groups, changed.has_analytics_access) == ("Cy", ["worker"], False)
        _, response = api.destroy(cy)
        assert response.status == 204
        with pytest.raises(exceptions.NotFoundException):
            api.retrieve(cy)
