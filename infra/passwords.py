"""Password hashing with argon2id."""

from __future__ import annotations

import hashlib
import hmac
import os
import threading
from collections import OrderedDict

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

REMEMBERED = 1_000


class Argon2Passwords:
    """argon2id with the library's recommended costs. Scripts that send Basic credentials with each call would pay them
    each time; so pairs that were right are remembered, as a keyed digest that is worthless outside this process. Each
    hash takes 64 MiB while it is made: no more are made at once than there are processors.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        """`hasher`: with other costs."""
        self._hasher = hasher or PasswordHasher()
        self._key = os.urandom(32)
        self._right: OrderedDict[bytes, None] = OrderedDict()
        self._lock = threading.Lock()
        self._at_once = threading.BoundedSemaphore(os.cpu_count() or 1)

    def hash(self, password: str) -> str:
        with self._at_once:
            return self._hasher.hash(password)

    def verify(self, password_hash: str, password: str) -> bool:
        digest = hmac.new(self._key, f"{password_hash}\0{password}".encode(), hashlib.sha256).digest()
        with self._lock:
            if digest in self._right:
                self._right.move_to_end(digest)
                return True
        try:
            with self._at_once:
                self._hasher.verify(password_hash, password)
        except (VerificationError, InvalidHashError):
            return False
        with self._lock:
            self._right[digest] = None
            if len(self._right) > REMEMBERED:
                self._right.popitem(last=False)
        return True
