"""Logins that were checked a moment ago."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from datetime import datetime

from domain.event import Actor

REMEMBER_SECONDS = 5.0
REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Identity:
    """A login, an access token or a name and password that were checked."""

    actor: Actor
    login_id: int | None = None
    expires: datetime | None = None
    access_token_id: int | None = None
    read_only: bool = False


class Identities:
    """Logins by the digest of their secret, remembered for a few seconds: most requests need no look-up for who calls.
    Whatever happens to a user empties the memory at once (see `forget`), in every process that listens to the log.
    """

    def __init__(self) -> None:
        self._found: dict[str, tuple[float, Identity]] = {}
        self._lock = threading.Lock()
        self.forgotten = 0
        """How often everything was forgotten."""

    def get(self, key: str) -> Identity | None:
        found = self._found.get(key)
        if found is None or found[0] < time.monotonic():
            return None
        return found[1]

    def put(self, key: str, identity: Identity, forgotten: int) -> None:
        """`forgotten`: as it was before the login was looked up. If it has grown since, the login may have ended in
        between; without this check it would live on in here.
        """
        with self._lock:
            if forgotten != self.forgotten:
                return
            if len(self._found) >= REMEMBERED:
                self._found.clear()
            self._found[key] = (time.monotonic() + REMEMBER_SECONDS, identity)

    def forget(self) -> None:
        with self._lock:
            self.forgotten += 1
            self._found.clear()
