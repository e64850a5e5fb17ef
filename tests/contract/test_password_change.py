"""Changing one's password: who may, which ones are taken, and which logins go on."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from cvat_sdk import make_client
from cvat_sdk.api_client import exceptions, models

from .conftest import Server
from .logins import log_in
from .shared import head, running

ANN = ("ann", "battery staple")


@pytest.fixture(scope="module")
def host(postgres: str) -> Iterator[Server]:
    """A server with an administrator and Ann, a user like any other. She may try a hundred passwords."""
    with running(postgres, failed_logins_per_account=100) as server:
        server.add_user(ANN)
        yield server


@pytest.fixture
def anyone(host: Server) -> Iterator[httpx.Client]:
    """A client without credentials."""
    with httpx.Client(base_url=host.url, timeout=60) as client:
        yield client


def change_password(client: httpx.Client, old: str, new: str, again: str | None = None, **how: Any) -> httpx.Response:
    body = {"old_password": old, "new_password1": new, "new_password2": new if again is None else again}
    return client.post("/api/auth/password/change", json=body, **how)


def test_the_login_that_a_password_is_changed_through_goes_on(host: Server) -> None:
    host.add_user(("carla", "first password"))
    with (
        make_client(host.url, credentials=("carla", "first password")) as this,
        make_client(host.url, credentials=("carla", "first password")) as other,
    ):
        assert other.users.retrieve_current_user().username == "carla"
        request = models.PasswordChangeRequest("first password", "second password", "second password")
        detail, _ = this.api_client.auth_api.create_password_change(request)
        assert detail.detail == "New password has been saved."
        assert this.users.retrieve_current_user().username == "carla"
        with pytest.raises(exceptions.UnauthorizedException):
            other.users.retrieve_current_user()
    assert httpx.get(f"{host.url}/api/users/self", auth=("carla", "first password")).status_code == 401
    assert httpx.get(f"{host.url}/api/users/self", auth=("carla", "second password")).status_code == 200


@pytest.mark.parametrize(
    ("old", "new", "again", "field"),
    [
        ("wrong", "another word", None, "old_password"),
        (ANN[1], "another word", "another wort", "new_password2"),
        (ANN[1], "short", None, "new_password2"),
        (ANN[1], "password123", None, "new_password2"),
        (ANN[1], "314159265358", None, "new_password2"),
        (ANN[1], "", None, "new_password1"),
        (ANN[1], "x" * 257, None, "new_password1"),
    ],
)
def test_a_password_that_is_not_changed(
    host: Server, anyone: httpx.Client, old: str, new: str, again: str | None, field: str
) -> None:
    before = head(host)
    answer = change_password(anyone, old, new, again, auth=ANN)
    assert (answer.status_code, next(iter(answer.json()))) == (400, field), answer.text
    assert head(host) == before


def test_a_password_is_changed_by_its_owner_alone(anyone: httpx.Client) -> None:
    assert change_password(anyone, ANN[1], "another word").status_code == 401
    log_in(anyone, ANN)
    assert change_password(anyone, ANN[1], "another word").status_code == 403, "no CSRF token"
    assert anyone.get("/api/users/self", auth=ANN).status_code == 200
