"""Guessing passwords is slowed down: per account and per address, in a window that slides, in bounded memory."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from api.client_address import client_address
from api.login_attempts import MAX_KEYS, LoginAttempts, SlidingWindow, network
from domain.errors import TooMany


class Clock:
    """A clock that stands still until it is set."""

    now = 1_000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def attempts(clock: Clock, per_account: int = 3, per_address: int = 5) -> LoginAttempts:
    return LoginAttempts(per_account, per_address, 60, clock)


def guess(attempts: LoginAttempts, account: str = "ann", address: str = "192.0.2.1") -> None:
    with attempts.turn(account, address):
        attempts.failed(account, address)


def refused(action: Callable[[], object]) -> TooMany:
    with pytest.raises(TooMany) as refusal:
        action()
    return refusal.value


def test_the_window_slides(clock: Clock) -> None:
    window = SlidingWindow(2, 60, clock)
    window.count("a")
    clock.now += 40
    window.count("a")
    assert (window.wait("a"), window.wait("b")) == (20, 0)
    clock.now += 20
    assert window.wait("a") == 0, "the first is a minute old"
    window.count("a")
    assert window.wait("a") == 40, "the second is not"


@given(st.lists(st.integers(0, 50), max_size=60), st.integers(1, 5))
def test_no_window_ever_holds_more_than_the_limit(pauses: list[int], limit: int) -> None:
    clock = Clock()
    window = SlidingWindow(limit, 60, clock)
    happened: list[float] = []
    for pause in pauses:
        clock.now += pause
        allowed = sum(clock.now - 60 < time for time in happened) < limit
        assert (window.wait("a") == 0) is allowed
        if allowed:
            window.count("a")
            happened.append(clock.now)


def test_memory_is_bounded_whatever_names_are_tried(clock: Clock) -> None:
    window = SlidingWindow(3, 60, clock)
    for number in range(MAX_KEYS + 500):
        window.count(str(number))
    assert len(window) == MAX_KEYS
    clock.now += 61
    window.count("a")
    assert len(window) == 1, "what is past is forgotten"


def test_an_account_is_refused_after_its_limit_from_wherever(clock: Clock) -> None:
    tried = attempts(clock)
    for number in range(3):
        guess(tried, address=f"192.0.2.{number}")
    error = refused(lambda: guess(tried, address="192.0.2.9"))
    assert error.retry_after == 60
    assert "account" in error.message
    guess(tried, account="bob", address="192.0.2.9")
    clock.now += 60
    guess(tried)


def test_an_address_is_refused_after_its_limit_whatever_the_account(clock: Clock) -> None:
    tried = attempts(clock)
    for number in range(5):
        guess(tried, account=f"user{number}")
    assert "address" in refused(lambda: guess(tried, account="somebody")).message
    refused(lambda: tried.require_address("192.0.2.1"))
    guess(tried, account="somebody", address="192.0.2.2")


def test_the_right_password_forgives_the_account_but_not_the_address(clock: Clock) -> None:
    tried = attempts(clock)
    for _ in range(2):
        guess(tried)
    tried.succeeded("ann")
    for _ in range(3):
        guess(tried)
    tried.succeeded("ann")
    assert "address" in refused(lambda: guess(tried)).message


def test_guesses_that_come_at_once_are_counted_one_by_one(clock: Clock) -> None:
    tried, begin, checked = attempts(clock, per_address=100), threading.Barrier(20), []

    def try_once() -> None:
        begin.wait(60)
        try:
            with tried.turn("ann", "192.0.2.1"):
                checked.append(1)
                tried.failed("ann", "192.0.2.1")
        except TooMany:
            pass

    threads = [threading.Thread(target=try_once) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(checked) == 3


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("no address", "no address"),
        ("x" * 1_000, "x" * 64),
    ],
)
def test_what_counts_as_one_address(address: str, counted: str) -> None:
    assert network(address) == counted


@pytest.mark.parametrize(
    ("proxies", "headers", "address"),
    [
        (0, ["203.0.113.7"], "192.0.2.1"),
        (1, [], "192.0.2.1"),
        (1, ["203.0.113.7"], "203.0.113.7"),
        (1, ["6.6.6.6, 203.0.113.7"], "203.0.113.7"),
        (2, ["6.6.6.6, 203.0.113.7, 10.0.0.1"], "203.0.113.7"),
        (2, ["6.6.6.6, 203.0.113.7", "10.0.0.1"], "203.0.113.7"),
        (2, ["203.0.113.7"], "192.0.2.1"),
    ],
)
def test_only_proxies_that_are_known_tell_an_address(proxies: int, headers: list[str], address: str) -> None:
    raw = [(b"x-forwarded-for", header.encode()) for header in headers]
    request = Request({"type": "http", "client": ("192.0.2.1", 1234), "headers": raw})
    assert client_address(request, proxies) == address
