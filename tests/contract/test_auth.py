"""Logging in, in every way that clients do it, and out again (CVAT contract 1.1 and 2.1)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from http.cookies import SimpleCookie

import httpx
import pytest
import urllib3
from cvat_sdk import Client, make_client
from cvat_sdk.api_client import ApiClient, Configuration, exceptions

from api.identities import Identities, Identity
from domain.event import SYSTEM, Actor, Context
from domain.events.user import UserLoggedIn
from domain.user import digest

from ..waiting import wait_until
from .conftest import ADMIN, Server
from .logins import Later, log_in
from .shared import running

ANN = ("ann", "battery staple")


@pytest.fixture(scope="module")
def host(postgres: str) -> Iterator[Server]:
    """A server with an administrator and Ann, a user like any other."""
    with running(postgres) as server:
        server.add_user(ANN)
        yield server


@pytest.fixture
def anyone(host: Server) -> Iterator[httpx.Client]:
    """A client without credentials."""
    with httpx.Client(base_url=host.url, timeout=60) as client:
        yield client


def status(url: str, **headers: str) -> int:
    return httpx.get(f"{url}/api/users/self", headers=headers, timeout=60).status_code


def test_the_sdk_logs_in_and_out(host: Server) -> None:
    with make_client(host.url, credentials=ANN) as client:
        assert client.users.retrieve_current_user().username == "ann"
        assert client.has_credentials()
        client.logout()
        assert not client.has_credentials()
        with pytest.raises(exceptions.UnauthorizedException):
            client.users.retrieve_current_user()


def test_the_sdk_logs_in_again(host: Server) -> None:
    with make_client(host.url, credentials=ANN) as client:
        client.login(ADMIN)
        me = client.users.retrieve_current_user()
        assert (me.username, me.is_superuser) == ("admin", True)
        created = client.projects.create({"name": "mine"})
        assert created.owner.username == "admin"


def test_cookies_survive_being_joined(host: Server) -> None:
    """urllib3 joins the Set-Cookie headers, and the SDK hands the result to http.cookies."""
    answer = urllib3.request(
        "POST", f"{host.url}/api/auth/login", json={"username": ANN[0], "password": ANN[1]}, retries=False
    )
    cookies = SimpleCookie(answer.headers["Set-Cookie"])
    assert set(cookies) == {"sessionid", "csrftoken"}
    for cookie in cookies.values():
        assert cookie.value.isalnum()
        assert (cookie["path"].rstrip(","), cookie["samesite"].rstrip(",")) == ("/", "Lax")
    assert cookies["sessionid"]["httponly"]
    assert not cookies["csrftoken"]["httponly"]
    assert not any(cookie["secure"] for cookie in cookies.values())
    cookie_header = "; ".join(f"{name}={cookie.value}" for name, cookie in cookies.items())
    assert status(host.url, Cookie=cookie_header) == 200


def test_cookies_survive_being_joined_behind_tls_too(host: Server) -> None:
    credentials = {"username": ANN[0], "password": ANN[1]}
    headers = {"X-Forwarded-Proto": "https"}
    answer = urllib3.request("POST", f"{host.url}/api/auth/login", json=credentials, headers=headers, retries=False)
    cookies = SimpleCookie(answer.headers["Set-Cookie"])
    assert set(cookies) == {"sessionid", "csrftoken"}
    assert all(cookie["secure"] for cookie in cookies.values())


def test_token_and_bearer(host: Server, anyone: httpx.Client) -> None:
    key = log_in(anyone, ANN)
    assert len(key) <= 40
    assert status(host.url, Authorization=f"Token {key}") == 200
    assert status(host.url, Authorization=f"token {key}") == 200
    with make_client(host.url, access_token=key) as client:
        assert client.users.retrieve_current_user().username == "ann"


def test_basic(host: Server) -> None:
    with ApiClient(Configuration(host=host.url, username=ANN[0], password=ANN[1])) as client:
        me, response = client.users_api.retrieve_self()
    assert (me.username, response.status) == ("ann", 200)
    for wrong in (("ann", "wrong"), ("nobody", ANN[1]), ("", "")):
        answer = httpx.get(f"{host.url}/api/users/self", auth=wrong)
        assert (answer.status_code, answer.json()) == (401, {"detail": "Invalid username/password."})


def test_a_password_may_hold_colons_and_any_letter(host: Server) -> None:
    credentials = ("zoë", "pass:wörd: 密码")
    host.add_user(credentials)
    answer = httpx.get(f"{host.url}/api/users/self", auth=credentials)
    assert answer.json()["username"] == "zoë"


def test_no_cookies_come_of_other_ways_in(anyone: httpx.Client) -> None:
    answer = anyone.get("/api/users/self", auth=ANN)
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("credentials", [("ann", "wrong"), ("nobody", "wrong"), ("ANN", ANN[1])])
def test_a_wrong_password(host: Server, anyone: httpx.Client, credentials: tuple[str, str]) -> None:
    username, password = credentials
    answer = anyone.post("/api/auth/login", json={"username": username, "password": password})
    assert answer.status_code == 400
    assert answer.json() == {"non_field_errors": ["Unable to log in with provided credentials."]}
    assert "set-cookie" not in answer.headers
    with pytest.raises(exceptions.ApiException) as refusal, make_client(host.url, credentials=credentials):
        pass
    assert refusal.value.status == 400


def test_login_wants_a_name(anyone: httpx.Client) -> None:
    answer = anyone.post("/api/auth/login", json={"password": "x"})
    assert answer.json() == {"non_field_errors": ['Must include "username" or "email" and "password".']}
    assert anyone.post("/api/auth/login", json={}).json()["password"] == ["This field is required."]


def test_without_credentials(anyone: httpx.Client) -> None:
    for headers in ({}, {"Authorization": f"Token {'0' * 40}"}, {"Authorization": "Bearer nothing"}):
        for path in ("/api/users/self", "/api/tasks", "/api/tasks/1", "/api/requests/x"):
            answer = anyone.get(path, headers=headers)
            assert answer.status_code == 401
            assert answer.headers["www-authenticate"] == "Token"
            assert list(answer.json()) == ["detail"]


def test_a_token_wins_over_a_cookie(anyone: httpx.Client) -> None:
    log_in(anyone, ANN)
    assert anyone.get("/api/users/self", headers={"Authorization": "Token wrong"}).status_code == 401


def test_changes_with_a_cookie_need_the_csrf_token(anyone: httpx.Client) -> None:
    log_in(anyone, ANN)
    token = anyone.cookies["csrftoken"]
    assert anyone.get("/api/projects").status_code == 200
    for headers in ({}, {"X-CSRFToken": ""}, {"X-CSRFToken": "0" * len(token)}, {"X-CSRFToken": token[:-1]}):
        answer = anyone.post("/api/projects", json={"name": "forged"}, headers=headers)
        assert answer.status_code == 403
        assert answer.json()["detail"].startswith("CSRF Failed")
        assert anyone.post("/api/auth/logout", headers=headers).status_code == 403
    right = anyone.post("/api/projects", json={"name": "mine"}, headers={"X-CSRFToken": token})
    assert right.status_code == 201
    assert [project["name"] for project in anyone.get("/api/projects").json()["results"]].count("forged") == 0


def test_changes_with_a_cookie_only_come_with_the_csrf_cookie(host: Server, anyone: httpx.Client) -> None:
    log_in(anyone, ANN)
    headers = {"Cookie": f"sessionid={anyone.cookies['sessionid']}", "X-CSRFToken": anyone.cookies["csrftoken"]}
    answer = httpx.post(f"{host.url}/api/projects", json={"name": "forged"}, headers=headers)
    assert answer.status_code == 403


def test_changes_with_a_token_or_a_password_need_none(host: Server, anyone: httpx.Client) -> None:
    key = log_in(anyone, ANN)
    with httpx.Client(base_url=host.url) as other:
        with_token = other.post("/api/projects", json={"name": "a"}, headers={"Authorization": f"Token {key}"})
        with_password = other.post("/api/projects", json={"name": "b"}, auth=ANN)
    assert (with_token.status_code, with_password.status_code) == (201, 201)


def test_logout_ends_cookie_and_token(host: Server, anyone: httpx.Client) -> None:
    key = log_in(anyone, ANN)
    cookie = f"sessionid={anyone.cookies['sessionid']}"
    assert (status(host.url, Cookie=cookie), status(host.url, Authorization=f"Token {key}")) == (200, 200)
    answer = anyone.post("/api/auth/logout", headers={"X-CSRFToken": anyone.cookies["csrftoken"]})
    assert (answer.status_code, dict(anyone.cookies)) == (200, {})
    assert (status(host.url, Cookie=cookie), status(host.url, Authorization=f"Token {key}")) == (401, 401)


def test_logout_with_the_token_ends_the_cookie(host: Server, anyone: httpx.Client) -> None:
    key = log_in(anyone, ANN)
    cookie = f"sessionid={anyone.cookies['sessionid']}"
    assert status(host.url, Cookie=cookie) == 200
    httpx.post(f"{host.url}/api/auth/logout", headers={"Authorization": f"Token {key}"})
    assert status(host.url, Cookie=cookie) == 401


def test_logout_ends_no_other_login(host: Server, anyone: httpx.Client) -> None:
    first, second = log_in(anyone, ANN), log_in(anyone, ANN)
    httpx.post(f"{host.url}/api/auth/logout", headers={"Authorization": f"Token {first}"})
    assert status(host.url, Authorization=f"Token {first}") == 401
    assert status(host.url, Authorization=f"Token {second}") == 200


def test_a_logout_reaches_other_processes(server: Server, database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two API applications on one database; each remembers the login for an hour, unless it hears of the logout."""
    monkeypatch.setattr("api.identities.REMEMBER_SECONDS", 3_600.0)
    other = Server(database_url, server.settings).start(agents=0)
    try:
        with httpx.Client(base_url=server.url) as client:
            key = log_in(client, ADMIN)
        authorization = f"Token {key}"
        assert status(other.url, Authorization=authorization) == 200
        httpx.post(f"{server.url}/api/auth/logout", headers={"Authorization": authorization})
        assert status(server.url, Authorization=authorization) == 401
        wait_until(lambda: status(other.url, Authorization=authorization) == 401)
    finally:
        other.stop()


def test_a_changed_password_ends_every_login(
    host: Server, anyone: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.identities.REMEMBER_SECONDS", 3_600.0)
    user_id = host.add_user(("bob", "first password"))
    keys = [log_in(anyone, ("bob", "first password")) for _ in range(2)]
    assert [status(host.url, Authorization=f"Token {key}") for key in keys] == [200, 200]
    host.system.app.users.change_password(Context(SYSTEM), user_id, "second password")
    wait_until(lambda: {status(host.url, Authorization=f"Token {key}") for key in keys} == {401})
    assert httpx.get(f"{host.url}/api/users/self", auth=("bob", "first password")).status_code == 401


def test_an_expired_login(host: Server, anyone: httpx.Client) -> None:
    user_id = anyone.get("/api/users/self", auth=ANN).json()["id"]
    app = host.system.app
    for key, expires in (("a" * 40, timedelta(seconds=-1)), ("b" * 40, timedelta(days=1))):
        opened = UserLoggedIn(
            user_id, app.ids.one("login"), digest("c" + key), digest(key), datetime.now(UTC) + expires
        )
        app.record(Context(SYSTEM), [opened])
        expected = 200 if expires > timedelta() else 401
        assert status(host.url, Authorization=f"Token {key}") == expected
        assert status(host.url, Cookie=f"sessionid=c{key}") == expected


def test_a_login_expires_while_it_is_remembered(
    host: Server, anyone: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.identities.REMEMBER_SECONDS", 3_600.0)
    user_id = anyone.get("/api/users/self", auth=ANN).json()["id"]
    app, key = host.system.app, "d" * 40
    expires = datetime.now(UTC) + timedelta(days=1)
    app.record(Context(SYSTEM), [UserLoggedIn(user_id, app.ids.one("login"), digest("e"), digest(key), expires)])
    assert status(host.url, Authorization=f"Token {key}") == 200
    monkeypatch.setattr("api.caller.datetime", Later)
    assert status(host.url, Authorization=f"Token {key}") == 401


def test_who_the_caller_is(host: Server, anyone: httpx.Client) -> None:
    ann = anyone.get("/api/users/self", auth=ANN).json()
    assert ann["url"] == f"{host.url}/api/users/{ann['id']}"
    assert (ann["username"], ann["is_superuser"], ann["is_active"]) == ("ann", False, True)
    assert ann["groups"] == ["user"]
    admin = anyone.get("/api/users/self", auth=ADMIN).json()
    assert (admin["is_superuser"], admin["groups"]) == (True, ["admin"])
    # All of it for oneself and for admins, the basics for others.
    assert anyone.get(f"/api/users/{ann['id']}", auth=ADMIN).json() == ann
    basics = anyone.get(f"/api/users/{admin['id']}", auth=ANN).json()
    assert set(basics) == {"url", "id", "username", "first_name", "last_name"}


def test_no_secret_is_in_an_answer_or_in_the_log(host: Server, anyone: httpx.Client) -> None:
    key = log_in(anyone, ANN)
    rows = host.system.database.query("SELECT to_jsonb(e)::text AS text FROM log.events e")
    everything = " ".join(row["text"] for row in rows)
    assert key not in everything
    assert anyone.cookies["sessionid"] not in everything
    assert ANN[1] not in everything
    assert "password" not in anyone.get("/api/users/self").text


def test_the_newest_login_is_told(client: Client) -> None:
    me = client.users.retrieve_current_user()
    assert me.last_login is not None
    assert abs(datetime.now(UTC) - me.last_login) < timedelta(minutes=10)


def test_a_login_that_ends_while_it_is_looked_up_is_not_remembered() -> None:
    identities, identity = Identities(), Identity(Actor(1, "ann"), 1, None)
    before = identities.forgotten
    identities.forget()
    identities.put("key", identity, before)
    assert identities.get("key") is None
    identities.put("key", identity, identities.forgotten)
    assert identities.get("key") is identity
