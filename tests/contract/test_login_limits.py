"""Guessing passwords is slowed down, whatever way the guesses come in."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator

import httpx
import pytest

from .conftest import ADMIN, Server
from .shared import running

ANN = ("ann", "battery staple")


@pytest.fixture
def host(postgres: str) -> Iterator[Server]:
    """Three wrong passwords for an account, or ten from an address, are enough. One proxy stands in front."""
    limits = {"failed_logins_per_account": 3, "failed_logins_per_address": 10, "proxies": 1}
    with running(postgres, **limits) as server:
        server.add_user(ANN)
        yield server


@pytest.fixture
def anyone(host: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=host.url, timeout=60) as client:
        yield client


def log_in(client: httpx.Client, username: str = "ann", password: str = "wrong", source: str = "192.0.2.1") -> int:
    body, headers = {"username": username, "password": password}, {"X-Forwarded-For": source}
    return client.post("/api/auth/login", json=body, headers=headers).status_code


def test_after_some_wrong_passwords_an_account_is_closed_for_a_while(anyone: httpx.Client) -> None:
    assert [log_in(anyone, source=f"192.0.2.{number}") for number in range(4)] == [400, 400, 400, 429]
    answer = anyone.post("/api/auth/login", json={"username": "ann", "password": ANN[1]})
    assert answer.status_code == 429, "also for who knows the password"
    assert 0 < int(answer.headers["retry-after"]) <= 300
    assert answer.json()["detail"].startswith("Too many failed logins for this account")
    assert log_in(anyone, *ADMIN) == 200


def test_other_ways_in_count_too_and_are_closed_too(host: Server, anyone: httpx.Client) -> None:
    assert log_in(anyone) == 400
    assert anyone.get("/api/users/self", auth=("ann", "wrong")).status_code == 401
    change = {"old_password": "wrong", "new_password1": "another word", "new_password2": "another word"}
    anyone.post("/api/auth/login", json={"username": "ann", "password": ANN[1]})
    token = {"X-CSRFToken": anyone.cookies["csrftoken"]}
    statuses = [anyone.post("/api/auth/password/change", json=change, headers=token).status_code for _ in range(4)]
    assert statuses == [400, 400, 400, 429]
    assert anyone.get("/api/users/self").json()["username"] == "ann", "a login that is open is not closed"
    with httpx.Client(base_url=host.url) as script:
        assert script.get("/api/users/self", auth=ANN).status_code == 429


def test_a_right_password_starts_the_count_again(anyone: httpx.Client) -> None:
    for _ in range(3):
        assert [log_in(anyone), log_in(anyone), log_in(anyone, *ANN)] == [400, 400, 200]


def test_an_account_that_does_not_exist_answers_the_same(anyone: httpx.Client) -> None:
    assert [log_in(anyone, "nobody") for _ in range(4)] == [400, 400, 400, 429]


def test_an_address_that_tries_many_accounts_is_closed(anyone: httpx.Client) -> None:
    statuses = [log_in(anyone, f"user{number}", source="203.0.113.5") for number in range(12)]
    assert statuses == [400] * 10 + [429] * 2
    assert log_in(anyone, *ANN, source="203.0.113.5") == 429
    assert log_in(anyone, *ANN, source="203.0.113.6") == 200


def test_an_address_that_a_client_makes_up_is_not_believed(anyone: httpx.Client) -> None:
    """The proxy in front adds the true one at the end."""
    statuses = [log_in(anyone, f"user{n}", source=f"10.0.0.{n}, 203.0.113.5") for n in range(12)]
    assert statuses == [400] * 10 + [429] * 2


def test_without_a_proxy_no_header_is_believed(postgres: str) -> None:
    with running(postgres, failed_logins_per_address=3) as server, httpx.Client(base_url=server.url) as client:
        assert [log_in(client, f"user{n}", source=f"10.0.0.{n}") for n in range(5)] == [400, 400, 400, 429, 429]


def test_guesses_that_come_at_once_are_no_more_than_the_limit(host: Server) -> None:
    statuses: list[int] = []

    def guess() -> None:
        with httpx.Client(base_url=host.url, timeout=60) as client:
            statuses.append(log_in(client))

    threads = [threading.Thread(target=guess) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(statuses) == {400: 3, 429: 9}


def test_many_scripts_of_one_user_begin_at_once(host: Server) -> None:
    """None of them is taken for a guesser, though none has been seen before."""
    statuses: list[int] = []

    def work() -> None:
        with httpx.Client(base_url=host.url, auth=ANN, timeout=60) as client:
            statuses.extend(client.get("/api/users/self").status_code for _ in range(5))

    threads = [threading.Thread(target=work) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Counter(statuses) == {200: 60}
