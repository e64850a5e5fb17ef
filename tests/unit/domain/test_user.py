"""Users: registering, logging in and out. Secrets are kept as digests only."""

from __future__ import annotations

import hashlib
import re

import pytest

from domain.errors import Invalid, NotFound
from domain.events.user import UserLoggedIn, UserLoggedOut, UserPasswordChanged, UserRegistered
from domain.user import LOGIN_LASTS, Users

from . import given
from .given import ANN
from .memory_log import MemoryLog


@pytest.fixture
def users(log: MemoryLog) -> Users:
    return Users(log)


def test_a_user_is_registered_with_the_hash_of_the_password(log: MemoryLog, users: Users) -> None:
    assert users.register(ANN, "bob", "secret-word", email="b@example.org", is_admin=True) == 1
    assert log.then == [UserRegistered(1, "bob", "b@example.org", "", "", True, "hash of secret-word")]


@pytest.mark.parametrize("name", ["", "a b", "x" * 151, "a\0b", "a/b", "bob\n"])
def test_malformed_names_are_refused(log: MemoryLog, users: Users, name: str) -> None:
    with pytest.raises(Invalid) as refusal:
        users.register(ANN, name, "secret-word")
    assert refusal.value.detail.keys() == {"username"}
    assert log.then == []


@pytest.mark.parametrize("name", ["a", "x" * 150, "ann@example.org", "ann.b+c-d_e", "Ægir"])
def test_names_of_all_kinds_are_taken(log: MemoryLog, users: Users, name: str) -> None:
    users.register(ANN, name, "secret-word")
    assert [body.username for body in log.then if isinstance(body, UserRegistered)] == [name]


def test_a_name_is_given_once_whatever_its_case(log: MemoryLog, users: Users) -> None:
    log.given(given.user(1, "ann"))
    with pytest.raises(Invalid) as refusal:
        users.register(ANN, "ANN", "secret-word")
    assert refusal.value.detail == {"username": ["A user with that username already exists."]}


def test_a_name_is_given_once_also_when_two_ask_at_the_same_time(log: MemoryLog, users: Users) -> None:
    log.meanwhile(lambda: users.register(ANN, "bob", "secret-word"))
    with pytest.raises(Invalid) as refusal:
        users.register(ANN, "Bob", "secret-word")
    assert refusal.value.detail == {"username": ["A user with that username already exists."]}
    assert [type(body) for body in log.then] == [UserRegistered]


def test_short_passwords_are_refused(log: MemoryLog, users: Users) -> None:
    log.given(given.user(1))
    with pytest.raises(Invalid):
        users.register(ANN, "bob", "1234567")
    with pytest.raises(Invalid):
        users.change_password(ANN, 1, "1234567")
    assert log.then == []


def test_a_login_keeps_digests_only(log: MemoryLog, users: Users) -> None:
    log.given(given.user(1))
    login = users.log_in(ANN, 1)
    assert log.then == [UserLoggedIn(1, login.login_id, sha256(login.cookie), sha256(login.token), login.expires)]
    assert login.expires == log.events[-1].meta.time + LOGIN_LASTS
    assert login.cookie not in str(log.then)
    assert login.token not in str(log.then)


def sha256(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()


def test_a_token_is_no_longer_than_clients_take_and_each_is_new(log: MemoryLog, users: Users) -> None:
    log.given(given.user(1))
    logins = [users.log_in(ANN, 1) for _ in range(3)]
    assert all(re.fullmatch(r"[0-9a-f]{40}", login.token) for login in logins)
    assert len({secret for login in logins for secret in (login.token, login.cookie)}) == 6


def test_a_login_is_closed_once(log: MemoryLog, users: Users) -> None:
    log.given(given.user(1))
    login = users.log_in(ANN, 1)
    users.log_out(ANN, 1, login.login_id)
    users.log_out(ANN, 1, login.login_id)
    assert log.then[1:] == [UserLoggedOut(1, login.login_id)]


def test_a_new_password_ends_every_login(log: MemoryLog, users: Users) -> None:
    log.given(given.user(1))
    login = users.log_in(ANN, 1)
    users.change_password(ANN, 1, "another-word")
    users.log_out(ANN, 1, login.login_id)
    assert log.then[1:] == [UserPasswordChanged(1, "hash of another-word")]


def test_an_unknown_user_is_not_found(users: Users) -> None:
    with pytest.raises(NotFound):
        users.change_password(ANN, 9, "another-word")
    with pytest.raises(NotFound):
        users.log_out(ANN, 9, 1)


def test_secret_fields_are_marked() -> None:
    assert UserRegistered.secret_fields == ("password_hash",)
    assert UserPasswordChanged.secret_fields == ("password_hash",)
    assert UserLoggedIn.secret_fields == ("cookie_hash", "token_hash")
