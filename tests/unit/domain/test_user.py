"""Users: registering, logging in and out, and who may come in at all. Secrets are kept as digests only."""

from __future__ import annotations

import hashlib
import re

import pytest

from domain.errors import Conflict, Invalid, NotFound
from domain.event import Actor, Context
from domain.events.user import (
    UserDeactivated,
    UserDeleted,
    UserLoggedIn,
    UserLoggedOut,
    UserPasswordChanged,
    UserProfileChanged,
    UserReactivated,
    UserRegistered,
    UserRoleChanged,
)
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


def test_the_login_that_a_password_is_changed_through_goes_on(log: MemoryLog, users: Users) -> None:
    log.given(given.user(1))
    this, other = users.log_in(ANN, 1), users.log_in(ANN, 1)
    users.change_password(ANN, 1, "another-word", keep_login=this.login_id)
    users.log_out(ANN, 1, other.login_id)
    changed, again = log.then[2:]
    assert changed == UserPasswordChanged(1, "hash of another-word")
    assert again == log.then[0], "the same cookie and token"


def test_a_login_that_ended_does_not_come_back_with_a_new_password(log: MemoryLog, users: Users) -> None:
    log.given(given.user(1))
    login = users.log_in(ANN, 1)
    users.log_out(ANN, 1, login.login_id)
    users.change_password(ANN, 1, "another-word", keep_login=login.login_id)
    assert log.then[2:] == [UserPasswordChanged(1, "hash of another-word")]


def test_a_password_that_is_the_users_name_is_refused(log: MemoryLog, users: Users) -> None:
    log.given(given.user(1, "annabelle"))
    with pytest.raises(Invalid) as refusal:
        users.change_password(ANN, 1, "Annabelle", field="new_password2")
    assert refusal.value.detail.keys() == {"new_password2"}


NOBODY = Context(Actor(None, None))


def sign_up(users: Users, username: str = "robert", password: str = "secret-word", email: str = "") -> None:
    users.sign_up(NOBODY, username, password, email=email, first_name="Bob", last_name="")


def test_who_signs_up_is_logged_in_and_did_it_himself(log: MemoryLog, users: Users) -> None:
    sign_up(users, email="bob@example.org")
    registered, opened = log.then
    assert registered == UserRegistered(1, "robert", "bob@example.org", "Bob", "", False, "hash of secret-word")
    assert isinstance(opened, UserLoggedIn)
    assert {(event.meta.actor_id, event.meta.actor) for event in log.events} == {(1, "robert")}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"username": "bobo"}, "username"),
        ({"username": "annie"}, "username"),
        ({"password": "robert"}, "password1"),
        ({"password": "12345678901"}, "password1"),
        ({"email": "no address"}, "email"),
        ({"email": "two@@example.org"}, "email"),
        ({"email": "ANN@example.org"}, "email"),
    ],
)
def test_what_is_wrong_with_a_sign_up_is_said_at_the_field(
    log: MemoryLog, users: Users, wrong: dict[str, str], field: str
) -> None:
    log.given(UserRegistered(9, "Annie", "ann@example.org", "", "", False, ""))
    with pytest.raises(Invalid) as refusal:
        sign_up(users, **wrong)
    assert refusal.value.detail.keys() == {field}
    assert log.then == []


def test_an_edit_names_what_changed_and_nothing_else(log: MemoryLog, users: Users) -> None:
    log.given(given.user(1))
    users.update(ANN, 1, profile={"first_name": "Ann", "last_name": "", "username": "ann"})
    users.update(ANN, 1, profile={"first_name": "Ann"})
    assert log.then == [UserProfileChanged(1, {"first_name": {"from": "", "to": "Ann"}})]


@pytest.mark.parametrize(
    "profile", [{"username": "BOB"}, {"username": "a b"}, {"email": "bob@Example.org"}, {"email": "nowhere"}]
)
def test_an_edit_takes_no_name_or_address_from_others(log: MemoryLog, users: Users, profile: dict[str, str]) -> None:
    log.given(given.user(1), UserRegistered(2, "bob", "bob@example.org", "", "", False, ""))
    with pytest.raises(Invalid) as refusal:
        users.update(ANN, 1, profile=profile)
    assert refusal.value.detail.keys() == profile.keys()
    assert log.then == []


def test_an_own_name_may_change_its_case(log: MemoryLog, users: Users) -> None:
    log.given(UserRegistered(1, "ann", "ann@example.org", "", "", False, ""))
    users.update(ANN, 1, profile={"username": "Ann", "email": "Ann@example.org"})
    account = log.lookup.account(1)
    assert (account.username, account.email) == ("Ann", "Ann@example.org")


def test_a_name_is_given_once_also_when_somebody_registers_meanwhile(log: MemoryLog, users: Users) -> None:
    log.given(given.user(9))
    log.meanwhile(lambda: users.register(ANN, "bob", "secret-word"))
    with pytest.raises(Invalid) as refusal:
        users.update(ANN, 9, profile={"username": "bob"})
    assert refusal.value.detail == {"username": ["A user with that username already exists."]}


def test_what_follows_from_being_an_administrator_changes_with_it(log: MemoryLog, users: Users) -> None:
    log.given(UserRegistered(1, "ann", "", "", "", True, "hash"), given.user(2, "bob"))
    users.update(ANN, 2, role="admin")
    users.update(ANN, 2, role="worker")
    made, unmade = log.then
    flags = ("is_staff", "is_superuser", "has_analytics_access")
    assert made == UserRoleChanged(2, "admin", "user", {name: {"from": False, "to": True} for name in flags})
    assert unmade == UserRoleChanged(2, "worker", "admin", {name: {"from": True, "to": False} for name in flags})


def test_roles_and_rights_change(log: MemoryLog, users: Users) -> None:
    log.given(given.user(1), given.user(2, "bob"))
    users.update(ANN, 2, role="worker", is_active=False)
    users.update(ANN, 2, role="worker", is_active=False)
    users.update(ANN, 2, is_active=True)
    assert log.then == [UserRoleChanged(2, "worker", "user"), UserDeactivated(2), UserReactivated(2)]
    with pytest.raises(Invalid) as refusal:
        users.update(ANN, 2, role="king")
    assert refusal.value.detail.keys() == {"groups"}


def admin(user_id: int, username: str) -> UserRegistered:
    return UserRegistered(user_id, username, "", "", "", True, "")


def test_the_last_active_administrator_stays_one(log: MemoryLog, users: Users) -> None:
    log.given(admin(1, "ann"), admin(2, "bob"), given.user(3, "cy"), UserDeactivated(2))
    for action in (
        lambda: users.delete(ANN, 1),
        lambda: users.update(ANN, 1, role="user"),
        lambda: users.update(ANN, 1, is_active=False),
    ):
        with pytest.raises(Conflict, match="last active administrator"):
            action()
    assert log.then == []
    users.update(ANN, 1, role="admin", is_active=True)
    users.delete(ANN, 2)
    assert log.then == [UserDeleted(2, "bob")]


def test_two_administrators_do_not_remove_each_other_at_the_same_time(log: MemoryLog, users: Users) -> None:
    log.given(admin(1, "ann"), admin(2, "bob"))
    log.meanwhile(lambda: users.update(ANN, 1, is_active=False))
    with pytest.raises(Conflict, match="last active administrator"):
        users.update(ANN, 2, role="user")
    assert log.then == [UserDeactivated(1)]


def test_a_deleted_user_is_gone_and_the_name_is_free(log: MemoryLog, users: Users) -> None:
    log.given(given.user(8), given.user(9, "bob"))
    login = users.log_in(ANN, 9)
    users.delete(ANN, 9)
    for action in (
        lambda: users.delete(ANN, 9),
        lambda: users.update(ANN, 9, is_active=True),
        lambda: users.change_password(ANN, 9, "another-word"),
        lambda: users.log_out(ANN, 9, login.login_id),
    ):
        with pytest.raises(NotFound):
            action()
    assert users.register(ANN, "Bob", "secret-word") != 9


def test_secret_fields_are_marked() -> None:
    assert UserRegistered.secret_fields == ("password_hash",)
    assert UserPasswordChanged.secret_fields == ("password_hash",)
    assert UserLoggedIn.secret_fields == ("cookie_hash", "token_hash")
