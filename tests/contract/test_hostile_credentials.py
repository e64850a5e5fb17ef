"""Credentials that nobody has: refused, and nothing changes."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

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


@pytest.mark.parametrize(
    "credentials",
    [
        b"Basic",
        b"Basic \xff\xfe",
        b"Basic /v8=",
        b"Basic OnBhc3M=",
        b"Basic AGFubg==",
        b"Basic " + b"A" * 50_000,
        b"Bearer",
        b"Bearer \xff",
        b"Token \xff\xfe",
        b"Token ' OR 1=1 --",
        b"Digest username=ann",
    ],
)
def test_credentials_that_make_no_sense_are_refused(host: Server, credentials: bytes) -> None:
    answer = httpx.get(f"{host.url}/api/users/self", headers=[(b"authorization", credentials)], timeout=60)
    assert (answer.status_code, list(answer.json())) == (401, ["detail"])


@pytest.mark.parametrize("name", ["", " ", "%", "ann' --"])
def test_a_right_password_without_its_name_opens_nothing(host: Server, name: str) -> None:
    """Not that of the users without an e-mail address either."""
    answer = httpx.get(f"{host.url}/api/users/self", auth=(name, ANN[1]), timeout=60)
    assert answer.status_code == 401


def test_cookies_that_make_no_sense_are_refused(host: Server, anyone: httpx.Client) -> None:
    log_in(anyone, ANN)
    session = anyone.cookies["sessionid"].encode()
    forged = [
        ([(b"cookie", b"sessionid=\xff\xfe")], 401),
        ([(b"cookie", b"sessionid=" + session + b"; csrftoken=\xff"), (b"x-csrftoken", b"\xfe")], 403),
        ([(b"cookie", b"sessionid=" + session + b"; csrftoken="), (b"x-csrftoken", b"")], 403),
    ]
    for headers, expected in forged:
        answer = httpx.post(f"{host.url}/api/projects", headers=headers, json={"name": "forged"}, timeout=60)
        assert (answer.status_code, list(answer.json())) == (expected, ["detail"])


@pytest.mark.parametrize("path", ["login", "register", "password/change", "access_tokens"])
@pytest.mark.parametrize(
    "body",
    [b"", b"[]", b"null", b"{", b"\xff\xfe", b"[" * 50_000, b'{"username": NaN}', b'{"password": "\\ud800"}', b"a=b"],
)
def test_bodies_that_make_no_sense_change_nothing(host: Server, anyone: httpx.Client, path: str, body: bytes) -> None:
    before = head(host)
    answer = anyone.post(f"/api/auth/{path}", content=body, auth=ANN)
    assert answer.status_code == 400
    assert (head(host), "set-cookie" in answer.headers) == (before, False)
