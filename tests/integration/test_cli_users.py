"""`annals user`: making users and listing them."""

from __future__ import annotations

import json

from cli.bootstrap import System

from .conftest import Annals

PASSWORD = "correct horse battery"


def test_a_user_is_made_with_a_password_from_standard_input(annals: Annals, system: System) -> None:
    made = annals("user", "create", "ada", "--password-stdin", "--email", "ada@example.org", stdin=f"{PASSWORD}\n")
    assert (made.returncode, made.stdout, made.stderr) == (0, "User 1 is ada\n", "")
    row = system.database.query_one("SELECT username, email, is_admin, password_hash FROM users")
    assert row is not None
    assert system.app.passwords.verify(row.pop("password_hash"), PASSWORD)
    assert row == {"username": "ada", "email": "ada@example.org", "is_admin": False}


def test_an_administrator_is_listed_as_one(annals: Annals) -> None:
    annals("user", "create", "root", "--password-stdin", "--admin", stdin=PASSWORD)
    annals("user", "create", "ada", "--password-stdin", stdin=PASSWORD)
    listed = annals("user", "list", "--json")
    users = [json.loads(line) for line in listed.stdout.splitlines()]
    assert [(user["id"], user["username"], user["is_admin"]) for user in users] == [
        (1, "root", True),
        (2, "ada", False),
    ]
    assert not any("password" in field for user in users for field in user)
    plain = annals("user", "list").stdout.splitlines()
    assert [line.split()[:3] for line in plain] == [
        ["id", "username", "email"],
        ["1", "root", "yes"],
        ["2", "ada", "no"],
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
