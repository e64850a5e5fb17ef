"""Which passwords are good enough. The rules and their words are Django's, as CVAT has them."""

from __future__ import annotations

from domain.common_passwords import COMMON
from domain.errors import Invalid

MIN_LENGTH = 8


def check_password(password: str, *personal: str, field: str = "password") -> None:
    """Raises Invalid, at `field`, for a password that is short, of digits only, well known, or one of the `personal`
    texts: the user's name and e-mail address.
    """
    problems = _problems(password, personal)
    if problems:
        raise Invalid({field: problems})


def _problems(password: str, personal: tuple[str, ...]) -> list[str]:
    word = password.lower()
    problems = []
    if word in {part.lower() for text in personal for part in (text, text.partition("@")[0]) if part}:
        problems.append("The password is too similar to the username or the email address.")
    if len(password) < MIN_LENGTH:
        problems.append(f"This password is too short. It must contain at least {MIN_LENGTH} characters.")
    if word in COMMON:
        problems.append("This password is too common.")
    if password.isdecimal():
        problems.append("This password is entirely numeric.")
    return problems
