"""Access tokens: what scripts come in with instead of a password (CVAT contract 1.1, 1.2 rows 39 and 40, 7)."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from cvat_sdk import Client, make_client
from cvat_sdk.api_client import ApiClient, Configuration, exceptions, models

from domain.access_token import MAX_TOKENS
from domain.event import SYSTEM, Context
from domain.events.access_token import AccessTokenCreated
from domain.user import digest

from ..waiting import wait_until
from .conftest import ADMIN, Server
from .logins import Later
from .shared import head, running

ANN = ("ann", "battery staple")
TOKENS = "/api/auth/access_tokens"


@pytest.fixture(scope="module")
def host(postgres: str) -> Iterator[Server]:
    """A server with an administrator and Ann, a user like any other."""
    with running(postgres) as server:
        server.add_user(ANN)
        yield server


@pytest.fixture
def ann(host: Server) -> Iterator[httpx.Client]:
    """Ann, with her password; her tokens go when the test ends."""
    with httpx.Client(base_url=host.url, auth=ANN, timeout=60) as client:
        yield client
        for token in client.get(TOKENS, params={"page_size": "all"}).json()["results"]:
            client.delete(f"{TOKENS}/{token['id']}")


def make(client: httpx.Client, **fields: Any) -> dict[str, Any]:
    answer = client.post(TOKENS, json={"name": "import", **fields})
    assert answer.status_code == 201, answer.text
    return dict(answer.json())


def ask(host: Server, value: str, method: str = "GET", path: str = "/api/users/self", **asked: Any) -> httpx.Response:
    return httpx.request(method, host.url + path, headers={"Authorization": f"Bearer {value}"}, timeout=60, **asked)


@pytest.fixture
def sdk(host: Server) -> Iterator[Client]:
    with make_client(host.url, credentials=ANN) as client:
        yield client


def test_the_life_of_a_token_through_the_sdk(host: Server, ann: httpx.Client, sdk: Client) -> None:
    api = sdk.api_client.auth_api
    made, _ = api.create_access_tokens(models.AccessTokenWriteRequest("import", read_only=False))
    assert (made.name, made.read_only, made.expiry_date, made.last_used_date) == ("import", False, None, None)
    assert made.owner.username == "ann"
    with make_client(host.url, access_token=made.value) as script:
        assert script.users.retrieve_current_user().username == "ann"
        assert script.projects.create({"name": "by a script"}).owner.username == "ann"
        itself, _ = script.api_client.auth_api.retrieve_access_tokens_self()
        assert (itself.id, itself.name) == (made.id, "import")
        soon = datetime.now(UTC) + timedelta(days=2)
        changes = models.PatchedAccessTokenWriteRequest(name="night import", expiry_date=soon, read_only=True)
        changed, _ = api.partial_update_access_tokens(made.id, patched_access_token_write_request=changes)
        assert (changed.name, changed.expiry_date, changed.read_only) == ("night import", soon, True)
        with pytest.raises(exceptions.ForbiddenException):
            script.projects.create({"name": "no more"})
        api.destroy_access_tokens(made.id)
        with pytest.raises(exceptions.UnauthorizedException):
            script.users.retrieve_current_user()
    with pytest.raises(exceptions.NotFoundException):
        api.retrieve_access_tokens(made.id)


def test_the_value_is_told_once(host: Server, ann: httpx.Client) -> None:
    made = make(ann)
    told = [ann.get(f"{TOKENS}/{made['id']}").json(), *ann.get(TOKENS).json()["results"]]
    told += [ask(host, made["value"], path=f"{TOKENS}/self").json()]
    assert not any("value" in token for token in told)
    assert made["value"] not in str(told)
    rows = host.system.database.query("SELECT to_jsonb(e)::text AS text FROM log.events e")
    rows += host.system.database.query("SELECT to_jsonb(t)::text AS text FROM access_tokens t")
    assert made["value"] not in str(rows)
    shown = httpx.get(f"{host.url}/api/log", auth=ADMIN, params={"page_size": 500}, timeout=60).text
    assert digest(made["value"]) not in shown


def test_a_read_only_token_only_reads(host: Server, ann: httpx.Client) -> None:
    project = ann.post("/api/projects", json={"name": "mine"}).json()["id"]
    path, before = f"/api/projects/{project}", head(host)
    value = make(ann, read_only=True)["value"]
    for where in (path, "/api/projects", "/api/users", TOKENS):
        assert ask(host, value, path=where).status_code == 200
    changes = [("POST", "/api/projects"), ("PATCH", path), ("DELETE", path), ("POST", "/api/auth/logout")]
    for method, where in changes:
        for more in ({}, {"Idempotency-Key": f"{method}-{where}"}):
            headers = {"Authorization": f"Bearer {value}", **more}
            answer = httpx.request(method, host.url + where, headers=headers, json={"name": "theirs"}, timeout=60)
            assert (answer.status_code, answer.json()) == (403, {"detail": "This access token is read-only."})
    assert ann.get(path).json()["name"] == "mine"
    types = host.system.database.query("SELECT type FROM log.events WHERE position > %s ORDER BY position", (before,))
    assert [row["type"] for row in types] == ["AccessTokenCreated", "AccessTokenUsed"]


def test_the_log_tells_which_token_something_was_done_with(host: Server, ann: httpx.Client) -> None:
    made, before = make(ann), head(host)
    ask(host, made["value"], "POST", "/api/projects", json={"name": "by a script"})
    ann.post("/api/projects", json={"name": "by hand"})
    told = httpx.get(f"{host.url}/api/log", auth=ADMIN, params={"after": before}, timeout=60).json()["results"]
    assert [(event["type"], event["access_token_id"]) for event in told] == [
        ("AccessTokenUsed", made["id"]),
        ("ProjectCreated", made["id"]),
        ("ProjectCreated", None),
    ]


@pytest.mark.parametrize("value", ["annals_pat_", "annals_pat_" + "0" * 40, "annals_pat_\x80", "annals_pat_ x"])
def test_made_up_tokens_open_nothing(host: Server, value: str) -> None:
    headers = [(b"authorization", b"Bearer " + value.encode("latin-1"))]
    answer = httpx.get(f"{host.url}/api/users/self", headers=headers, timeout=60)
    assert (answer.status_code, answer.json()) == (401, {"detail": "Invalid token."})
    assert answer.headers["www-authenticate"] == "Token"


def test_an_expired_token(host: Server, ann: httpx.Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("api.identities.REMEMBER_SECONDS", 3_600.0)
    user_id = ann.get("/api/users/self").json()["id"]
    app, value = host.system.app, "annals_pat_" + "e" * 40
    end = datetime.now(UTC) + timedelta(days=1)
    body = AccessTokenCreated(app.ids.one("access_token"), user_id, "short", False, end, digest(value))
    app.record(Context(SYSTEM), [body])
    assert ask(host, value).status_code == 200
    monkeypatch.setattr("api.caller.datetime", Later)
    assert ask(host, value).status_code == 401  # also while it is remembered
    host.services.identities.forget()
    assert ask(host, value).status_code == 401
    assert [token["name"] for token in ann.get(TOKENS).json()["results"]] == ["short"]


def test_a_revocation_reaches_other_processes(
    server: Server, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two API applications on one database; each remembers the token for an hour, unless it hears of the revocation."""
    monkeypatch.setattr("api.identities.REMEMBER_SECONDS", 3_600.0)
    other = Server(database_url, server.settings).start(agents=0)
    try:
        made = make(server.http())
        assert ask(other, made["value"]).status_code == 200
        server.http().delete(f"{TOKENS}/{made['id']}")
        assert ask(server, made["value"]).status_code == 401
        wait_until(lambda: ask(other, made["value"]).status_code == 401)
    finally:
        other.stop()


def test_a_script_does_not_give_itself_more(host: Server, ann: httpx.Client) -> None:
    made = make(ann)
    me = ann.get("/api/users/self").json()
    where = f"{TOKENS}/{made['id']}"
    forbidden: list[tuple[str, str, dict[str, Any]]] = [
        ("POST", TOKENS, {"name": "another"}),
        ("PATCH", where, {"expiry_date": None}),
        ("DELETE", where, {}),
        ("PATCH", f"/api/users/{me['id']}", {"email": "thief@example.org"}),
        ("DELETE", f"/api/users/{me['id']}", {}),
        ("POST", "/api/auth/password/change",
         {"old_password": ANN[1], "new_password1": "stolen word", "new_password2": "stolen word"}),
    ]  # fmt: skip
    for method, path, body in forbidden:
        assert ask(host, made["value"], method, path, json=body).status_code == 403, path
    assert ask(host, made["value"], "PATCH", f"/api/users/{me['id']}", json={"first_name": ""}).status_code == 200
    assert ann.get("/api/users/self").json() == me | {"last_login": me["last_login"]}
    assert [token["name"] for token in ask(host, made["value"], path=TOKENS).json()["results"]] == ["import"]


def test_only_a_token_is_told_about_itself(ann: httpx.Client) -> None:
    assert ann.get(f"{TOKENS}/self").status_code == 403


def test_tokens_are_their_owners_alone(host: Server, ann: httpx.Client) -> None:
    made = make(ann)
    with httpx.Client(base_url=host.url, auth=ADMIN, timeout=60) as admin:
        where = f"{TOKENS}/{made['id']}"
        answers = [admin.get(where), admin.patch(where, json={"name": "mine"}), admin.delete(where)]
        assert [answer.status_code for answer in answers] == [404, 404, 404]
        assert admin.get(TOKENS, params={"owner_id": made["owner"]["id"]}).json()["count"] == 0
    assert httpx.get(host.url + TOKENS).status_code == 401
    assert ask(host, made["value"]).status_code == 200


def test_lists_are_paged_filtered_and_sorted(ann: httpx.Client) -> None:
    for name, read_only in (("b", True), ("a", False), ("c", True)):
        make(ann, name=name, read_only=read_only)

    def names(**query: Any) -> list[str]:
        return [token["name"] for token in ann.get(TOKENS, params=query).json()["results"]]

    assert names() == ["c", "a", "b"]
    assert names(sort="name") == ["a", "b", "c"]
    assert names(page=2, page_size=2) == ["b"]
    assert names(read_only="true", sort="-name") == ["c", "b"]
    assert names(search="A") == ["a"]
    assert names(filter='{"and":[{"==":[{"var":"name"},"b"]}]}') == ["b"]
    assert ann.get(TOKENS, params={"page": 1, "page_size": 500}).json()["count"] == 3


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"name": ""}, "name"),
        ({"name": "x" * 51}, "name"),
        ({"name": "nul \0"}, "name"),
        ({"name": None}, "name"),
        ({"expiry_date": "2020-01-01T00:00:00Z"}, "expiry_date"),
        ({"expiry_date": "tomorrow"}, "expiry_date"),
        ({"expiry_date": "0001-01-01T00:00:00+14:00"}, "expiry_date"),
        ({"expiry_date": 1e300}, "expiry_date"),
        ({"read_only": "perhaps"}, "read_only"),
    ],
)
def test_what_is_wrong_is_said_at_the_field(ann: httpx.Client, fields: dict[str, Any], wrong: str) -> None:
    made = make(ann)
    body = {"name": "import", **fields}
    for answer in (ann.post(TOKENS, json=body), ann.patch(f"{TOKENS}/{made['id']}", json=body)):
        assert (answer.status_code, list(answer.json())) == (400, [wrong]), answer.text
    assert ann.get(TOKENS).json()["count"] == 1


def test_an_end_without_a_time_zone_is_utc_and_may_be_taken_away(ann: httpx.Client) -> None:
    made = make(ann, expiry_date="2999-01-01T00:00:00")
    assert made["expiry_date"] == "2999-01-01T00:00:00Z"
    changed = ann.patch(f"{TOKENS}/{made['id']}", json={"expiry_date": None}).json()
    assert (changed["expiry_date"], changed["name"]) == (None, "import")


def test_nobody_has_tokens_without_end(host: Server) -> None:
    user_id = host.add_user(("hoarder", "battery staple"))
    app = host.system.app
    ids = app.ids.many("access_token", MAX_TOKENS)
    app.record(
        Context(SYSTEM),
        [AccessTokenCreated(token_id, user_id, "one of many", False, None, digest(str(token_id))) for token_id in ids],
    )
    answer = httpx.post(host.url + TOKENS, auth=("hoarder", "battery staple"), json={"name": "import"}, timeout=60)
    assert answer.status_code == 400
    assert "revoke one first" in str(answer.json()["non_field_errors"])


def test_use_is_told_to_the_day_and_recorded_once(host: Server, ann: httpx.Client) -> None:
    made = make(ann)
    for _ in range(3):
        ask(host, made["value"])
        host.services.identities.forget()
    used = datetime.fromisoformat(ann.get(f"{TOKENS}/{made['id']}").json()["last_used_date"])
    assert datetime.now(UTC) - used < timedelta(minutes=10)
    events = host.system.database.query(
        "SELECT actor FROM log.events WHERE stream = %s AND type = 'AccessTokenUsed'", (f"access_token-{made['id']}",)
    )
    assert [event["actor"] for event in events] == ["ann"]


def test_a_user_who_is_locked_out_comes_in_with_no_token(host: Server) -> None:
    credentials = ("bob", "battery staple")
    user_id = host.add_user(credentials)
    with httpx.Client(base_url=host.url, auth=credentials, timeout=60) as bob:
        value = make(bob)["value"]
    with httpx.Client(base_url=f"{host.url}/api/users", auth=ADMIN, timeout=60) as admin:
        assert ask(host, value).status_code == 200
        admin.patch(f"/{user_id}", json={"is_active": False})
        assert ask(host, value).status_code == 401
        admin.patch(f"/{user_id}", json={"is_active": True})
        assert ask(host, value).status_code == 200
        admin.delete(f"/{user_id}")
        assert ask(host, value).status_code == 401


def test_the_low_level_client_sends_a_token_as_bearer(host: Server, ann: httpx.Client) -> None:
    value = make(ann)["value"]
    with ApiClient(Configuration(host=host.url, access_token=value)) as client:
        me, _ = client.users_api.retrieve_self()
    assert me.username == "ann"
