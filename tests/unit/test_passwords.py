"""Password hashes: argon2id, and a right password is not paid for twice."""

from __future__ import annotations

from typing import Literal

import pytest
from argon2 import PasswordHasher

from infra.passwords import Argon2Passwords


@pytest.fixture(scope="module")
def passwords() -> Argon2Passwords:
    return Argon2Passwords()


@pytest.fixture(scope="module")
def hashed(passwords: Argon2Passwords) -> str:
    return passwords.hash("a secret word")


def test_a_hash_is_argon2id_with_a_salt(passwords: Argon2Passwords, hashed: str) -> None:
    assert hashed.startswith("$argon2id$")
    assert passwords.hash("a secret word") != hashed


@pytest.mark.parametrize("wrong", ["", "A secret word", "a secret word ", "a secret word\0"])
def test_only_the_right_password_is_right(passwords: Argon2Passwords, hashed: str, wrong: str) -> None:
    for _ in range(2):
        assert passwords.verify(hashed, "a secret word")
        assert not passwords.verify(hashed, wrong)


@pytest.mark.parametrize("broken", ["", "$argon2id$", "plain text", "$2b$12$abcdefghijklmnopqrstuv"])
def test_what_is_no_hash_fits_no_password(passwords: Argon2Passwords, broken: str) -> None:
    assert not passwords.verify(broken, "a secret word")


class Counting(PasswordHasher):
    """Notes what it hashes to compare."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[str | bytes] = []

    def verify(self, hash: str | bytes, password: str | bytes) -> Literal[True]:
        self.asked.append(password)
        return super().verify(hash, password)


def test_only_a_right_password_costs_nothing_the_second_time(hashed: str) -> None:
    hasher = Counting()
    passwords = Argon2Passwords(hasher)
    for password in ("a secret word", "wrong"):
        for _ in range(2):
            passwords.verify(hashed, password)
    assert hasher.asked == ["a secret word", "wrong", "wrong"]


def test_a_remembered_password_is_not_kept_in_the_clear(passwords: Argon2Passwords, hashed: str) -> None:
    passwords.verify(hashed, "a secret word")
    assert b"a secret word" not in b"".join(passwords._right)
