"""`annals user`: making users, letting them in and keeping them out."""

from __future__ import annotations

import json

import pytest

from cli.bootstrap import System
from domain.event import SYSTEM, Context
from domain.events.user import UserRegistered

from ..unit.domain import given
from .conftest import Annals

PASSWORD = "correct horse battery"


def test_a_user_is_made_with_a_password_from_standard_input(annals: Annals, system: System) -> None:
    made = annals("user", "create", "ada", "--password-stdin", "--email", "ada@example.org", stdin=f"{PASSWORD}\n")
    assert (made.returncode, made.stdout, made.stderr) == (0, "User 1 is ada\n", "")
    row = system.database.query_one("SELECT username, email, role, password_hash FROM users")
    assert row is not None
    assert system.app.passwords.verify(row.pop("password_hash"), PASSWORD)
    assert row == {"username": "ada", "email": "ada@example.org", "role": "user"}


def test_an_administrator_is_listed_as_one(annals: Annals) -> None:
    annals("user", "create", "root", "--password-stdin", "--admin", stdin=PASSWORD)
    annals("user", "create", "ada", "--password-stdin", stdin=PASSWORD)
    listed = annals("user", "list", "--json")
    users = [json.loads(line) for line in listed.stdout.splitlines()]
    assert [(user["id"], user["username"], user["role"]) for user in users] == [
        (1, "root", "admin"),
        (2, "ada", "user"),
    ]
    assert not any("password" in field for user in users for field in user)
    plain = annals("user", "list").stdout.splitlines()
    assert [line.split()[:3] for line in plain] == [
        ["id", "username", "email"],
        ["1", "root", "admin"],
        ["2", "ada", "user"],
    ]


def test_what_is_refused_is_said_and_nothing_is_made(annals: Annals, system: System) -> None:
    annals("user", "create", "ada", "--password-stdin", stdin=PASSWORD)
    taken = annals("user", "create", "ADA", "--password-stdin", stdin=PASSWORD)
    short = annals("user", "create", "bob", "--password-stdin", stdin="short\n")
    malformed = annals("user", "create", "bob smith", "--password-stdin", stdin=PASSWORD)
    assert [one.returncode for one in (taken, short, malformed)] == [1, 1, 1]
    assert taken.stderr == "annals: username: A user with that username already exists.\n"
    assert short.stderr.startswith("annals: password: This password is too short.")
    assert malformed.stderr.startswith("annals: username: Enter 1 to 150 letters")
    assert len(system.database.query("SELECT 1 FROM users")) == 1


def test_without_a_terminal_the_password_must_be_piped(annals: Annals) -> None:
    refused = annals("user", "create", "ada", stdin=PASSWORD)
    assert refused.returncode == 2
    assert "--password-stdin" in refused.stderr


@pytest.fixture
def ada(system: System) -> int:
    """A user with an open login, recorded as she is: making a password hash takes longer than all the rest."""
    body = given.user(7, "ada")
    system.app.record(Context(SYSTEM), [body])
    system.app.users.log_in(Context(SYSTEM), body.user_id)
    return body.user_id


def logins(system: System) -> int:
    return len(system.database.query("SELECT 1 FROM logins"))


@pytest.mark.usefixtures("ada")
def test_a_forgotten_password_is_replaced(annals: Annals, system: System) -> None:
    done = annals("user", "reset-password", "ada", "--password-stdin", stdin=f"{PASSWORD}\n")
    assert (done.returncode, done.stdout) == (0, "ada has a new password; all logins ended\n")
    row = system.database.query_one("SELECT password_hash FROM users")
    assert row is not None
    assert system.app.passwords.verify(row["password_hash"], PASSWORD)
    assert logins(system) == 0
    event = system.database.query_one("SELECT actor, source FROM log.events ORDER BY position DESC LIMIT 1")
    assert event == {"actor": None, "source": "cli"}


@pytest.mark.usefixtures("ada")
def test_somebody_is_locked_out_and_let_in_again(annals: Annals, system: System) -> None:
    def active() -> list[bool]:
        return [json.loads(line)["is_active"] for line in annals("user", "list", "--json").stdout.splitlines()]

    assert annals("user", "deactivate", "ada").stdout == "ada is locked out\n"
    assert (active(), logins(system)) == ([False], 0)
    assert annals("user", "activate", "ada").stdout == "ada may log in\n"
    assert active() == [True]


def test_tokens_are_listed_and_revoked(annals: Annals, system: System, ada: int) -> None:
    system.app.record(Context(SYSTEM), [given.user(8, "bob")])
    token_id, value = system.app.access_tokens.create(Context(SYSTEM), ada, "night import", read_only=True)
    system.app.access_tokens.create(Context(SYSTEM), 8, "of bob")
    listed = annals("user", "tokens", "ada", "--json").stdout
    assert [json.loads(line)["name"] for line in listed.splitlines()] == ["night import"]
    everybodys = annals("user", "tokens").stdout
    assert "of bob" in everybodys
    assert value not in listed + everybodys
    assert annals("user", "revoke-token", str(token_id)).stdout == f"Access token {token_id} is revoked\n"
    again = annals("user", "revoke-token", str(token_id))
    assert (again.returncode, again.stderr) == (1, f"annals: There is no access token {token_id}\n")
    assert annals("user", "tokens", "ada", "--json").stdout == ""


def test_who_is_not_there_and_who_must_stay(annals: Annals, system: System) -> None:
    system.app.record(Context(SYSTEM), [UserRegistered(1, "root", "", "", "", True, "")])
    missing, last = annals("user", "deactivate", "nobody"), annals("user", "deactivate", "root")
    assert (missing.returncode, missing.stderr) == (1, "annals: There is no user nobody\n")
    assert last.returncode == 1
    assert "last active administrator" in last.stderr
