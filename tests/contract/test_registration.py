"""Making an account for oneself (CVAT contract 1.2 row 41)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from cvat_sdk import make_client
from cvat_sdk.api_client import ApiClient, Configuration, models

from .conftest import Server
from .shared import head, running

REGISTER = "/api/auth/register"
ACCOUNT = {"username": "robert", "password1": "battery staple", "password2": "battery staple"}


@pytest.fixture(scope="module")
def host(postgres: str) -> Iterator[Server]:
    with running(postgres) as server:
        yield server


@pytest.fixture
def anyone(host: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=host.url, timeout=60) as client:
        yield client


def test_an_account_is_made_and_used_through_the_sdk(host: Server) -> None:
    with ApiClient(Configuration(host=host.url)) as client:
        request = models.RegisterSerializerExRequest(
            "annabelle", "battery staple", "battery staple", email="ann@example.org", first_name="Ann", last_name="B"
        )
        made, response = client.auth_api.create_register(request)
        assert response.status == 201
        assert (made.username, made.email, made.first_name, made.last_name) == (
            "annabelle", "ann@example.org", "Ann", "B",
        )  # fmt: skip
        assert made.email_verification_required is False
    with make_client(host.url, credentials=("annabelle", "battery staple")) as logged_in:
        me = logged_in.users.retrieve_current_user()
        assert (me.username, me.is_superuser, me.groups) == ("annabelle", False, ["user"])
    key = {"Authorization": f"Token {made.key}"}
    assert httpx.get(f"{host.url}/api/users/self", headers=key, timeout=60).json()["username"] == "annabelle"


def test_who_registers_is_logged_in_and_did_it_himself(host: Server, anyone: httpx.Client) -> None:
    assert anyone.post(REGISTER, json=ACCOUNT).status_code == 201
    assert anyone.get("/api/users/self").json()["username"] == "robert"
    events = host.system.database.query("SELECT type, actor FROM log.events ORDER BY position DESC LIMIT 2")
    assert [tuple(event.values()) for event in events] == [("UserLoggedIn", "robert"), ("UserRegistered", "robert")]


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"username": "ADMIN"}, "username"),
        ({"username": "bobo"}, "username"),
        ({"username": "bob smith"}, "username"),
        ({"username": "x" * 151}, "username"),
        ({"username": None}, "username"),
        ({"email": "nowhere"}, "email"),
        ({"password1": "short", "password2": "short"}, "password1"),
        ({"password1": "password123", "password2": "password123"}, "password1"),
        ({"password1": "314159265358", "password2": "314159265358"}, "password1"),
        ({"password1": "frederic", "password2": "frederic"}, "password1"),
        ({"password1": "me@example.org", "password2": "me@example.org", "email": "me@example.org"}, "password1"),
        ({"password2": "battery stapel"}, "non_field_errors"),
    ],
)
def test_what_is_wrong_is_said_at_the_field(
    host: Server, anyone: httpx.Client, fields: dict[str, Any], wrong: str
) -> None:
    before = head(host)
    answer = anyone.post(REGISTER, json={**ACCOUNT, "username": "frederic", **fields})
    assert (answer.status_code, list(answer.json())) == (400, [wrong]), answer.text
    assert head(host) == before
    assert "set-cookie" not in answer.headers


def test_an_address_is_registered_once(host: Server, anyone: httpx.Client) -> None:
    anyone.post(REGISTER, json={**ACCOUNT, "username": "first", "email": "one@example.org"})
    answer = anyone.post(REGISTER, json={**ACCOUNT, "username": "second", "email": "One@example.org"})
    assert answer.json() == {"email": ["A user is already registered with this e-mail address."]}


def test_nobody_registers_without_end(postgres: str) -> None:
    with running(postgres, failed_logins_per_address=3) as server, httpx.Client(base_url=server.url) as client:
        statuses = [client.post(REGISTER, json={**ACCOUNT, "username": f"robert{number}"}) for number in range(5)]
        assert [answer.status_code for answer in statuses] == [201, 201, 201, 429, 429]


def test_where_it_is_switched_off_it_is_not_there(postgres: str) -> None:
    with running(postgres, registration=False) as server, httpx.Client(base_url=server.url) as client:
        assert client.post(REGISTER, json=ACCOUNT).status_code == 404
        paths = client.get("/api/schema/", params={"scheme": "json"}).json()["paths"]
        assert "/api/auth/login" in paths
        assert REGISTER not in paths


def test_what_the_ui_may_offer_is_in_the_schema(anyone: httpx.Client) -> None:
    paths = anyone.get("/api/schema/", params={"scheme": "json"}).json()["paths"]
    assert {"/api/auth/login", REGISTER, "/api/auth/password/change"} <= paths.keys()
    assert "/api/auth/password/reset" not in paths
