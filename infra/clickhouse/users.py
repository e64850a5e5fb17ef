"""Who comes in: the writer, readers with passwords of their own, and anybody as far as that is allowed."""

from __future__ import annotations

import asyncio
import hmac
import time
from collections import OrderedDict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import Enum
from typing import Final

from infra.clickhouse.errors import Code, QueryFailed
from infra.clickhouse.readers_file import Readers
from infra.passwords import Argon2Passwords

WRITER: Final = "forwarder"
"""The one user who may write."""

_TRIES: Final = 10
_TRIES_OF_ADDRESS: Final = 50
_TRIES_SECONDS: Final = 60.0
_ANY_USER: Final = "\n"
"""In place of a name: what counts for all from an address."""
_REMEMBERED: Final = 10_000
_LONGEST_PASSWORD: Final = 1024


class Role(Enum):
    READER = "reader"
    WRITER = "writer"


@dataclass(frozen=True)
class User:
    name: str
    role: Role


ANYBODY: Final = User("default", Role.READER)
"""All who come under a name that is nobody's share what one user may have."""


@dataclass(frozen=True)
class Credentials:
    user: str
    password: str = field(repr=False)


class Users:
    """For the event loop. `anonymous`: names that are nobody's come in as ANYBODY, whatever their password."""

    def __init__(self, writer_password: str, readers: Readers, anonymous: bool) -> None:
        self._writer_password, self._readers, self._anonymous = writer_password, readers, anonymous
        self._passwords = Argon2Passwords()
        self._nobody = self._passwords.hash("")
        self._tries = _Tries()
        # One at a time: hashing is slow on purpose, and guesses that come at once are counted one after the other.
        self._hashing = ThreadPoolExecutor(1, thread_name_prefix="password")

    async def enter(self, given: Credentials, address: str) -> User:
        """The user of these credentials. Raises QueryFailed 516 for wrong ones, after the same time whether or not
        there is such a user; and for a while without looking at them, after ten wrong ones for a user from an address
        or fifty from an address.
        """
        if given.user == WRITER:
            if not hmac.compare_digest(given.password.encode(), self._writer_password.encode()):
                raise _refused(given.user)
            return User(WRITER, Role.WRITER)
        kept = self._readers.password_hash(given.user)
        if kept is None and self._anonymous:
            return ANYBODY
        self._require_tries(given.user, address)
        loop = asyncio.get_running_loop()
        if not await loop.run_in_executor(self._hashing, self._right, kept, given, address):
            raise _refused(given.user)
        return User(given.user, Role.READER)

    def _right(self, kept: str | None, given: Credentials, address: str) -> bool:
        self._require_tries(given.user, address)
        password = given.password
        right = len(password) <= _LONGEST_PASSWORD and self._passwords.verify(kept or self._nobody, password)
        if right and kept is not None:
            self._tries.forget((given.user, address))
            return True
        self._tries.count((given.user, address))
        self._tries.count((_ANY_USER, address))
        return False

    def _require_tries(self, user: str, address: str) -> None:
        self._tries.require((user, address), _TRIES)
        self._tries.require((_ANY_USER, address), _TRIES_OF_ADDRESS)


class _Tries:
    """Wrong passwords by user and address: how many since the first, which is forgotten after a minute."""

    def __init__(self) -> None:
        self._wrong: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()

    def require(self, who: tuple[str, str], tries: int) -> None:
        """Raises QueryFailed 516 when there were so many."""
        first, wrong = self._wrong.get(who, (0.0, 0))
        if wrong >= tries and (wait := first + _TRIES_SECONDS - time.monotonic()) > 0:
            text = f"Authentication failed: too many wrong passwords, try again in {wait:.0f} s"
            raise QueryFailed(Code.AUTHENTICATION_FAILED, text)

    def count(self, who: tuple[str, str]) -> None:
        now = time.monotonic()
        first, wrong = self._wrong.pop(who, (now, 0))
        self._wrong[who] = (first, wrong + 1) if now < first + _TRIES_SECONDS else (now, 1)
        if len(self._wrong) > _REMEMBERED:
            self._wrong.popitem(last=False)

    def forget(self, who: tuple[str, str]) -> None:
        self._wrong.pop(who, None)


def _refused(user: str) -> QueryFailed:
    text = f"{user}: Authentication failed: password is incorrect, or there is no such user"
    return QueryFailed(Code.AUTHENTICATION_FAILED, text)
