"""Passwords that anybody would guess are refused."""

from __future__ import annotations

import pytest

from domain.errors import Invalid
from domain.password_rules import check_password


@pytest.mark.parametrize("good", ["correct horse", "密码密码密码密码", "12345678x y", "passwort mit leerzeichen"])
def test_good_ones_are_taken(good: str) -> None:
    check_password(good, "ann", "ann@example.org")


@pytest.mark.parametrize(
    ("bad", "problems"),
    [
        ("seven 7", ["This password is too short. It must contain at least 8 characters."]),
        ("PassWord123", ["This password is too common."]),
        ("314159265358", ["This password is entirely numeric."]),
        ("١٢٣٤٥٦٧٨", ["This password is entirely numeric."]),
        ("Annabelle", ["The password is too similar to the username or the email address."]),
        ("ANNA@EXAMPLE.ORG", ["The password is too similar to the username or the email address."]),
        ("belle.of.a", ["The password is too similar to the username or the email address."]),
    ],
)
def test_bad_ones_are_refused_with_the_reason(bad: str, problems: list[str]) -> None:
    for personal in (("annabelle", "anna@example.org", "belle.of.a@example.org"),):
        with pytest.raises(Invalid) as refusal:
            check_password(bad, *personal, field="password1")
        assert refusal.value.detail == {"password1": problems}


def test_every_reason_is_told_at_once() -> None:
    with pytest.raises(Invalid) as refusal:
        check_password("1234567", "1234567")
    assert len(refusal.value.detail["password"]) == 3
