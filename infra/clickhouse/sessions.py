"""Sessions of the writer: SET and USE statements that later requests with the same session_id inherit.

A connection to chdb costs 0.2 ms, so a session holds no connection: it is the list of statements that each request
repeats on its own. Readers cannot change a session; theirs hold nothing.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Final

from infra.clickhouse.errors import Code, QueryFailed

_SESSIONS: Final = 256
_STATEMENTS: Final = 100
_LONGEST: Final = 3600.0


@dataclass
class _Session:
    statements: list[str]
    expires: float


class Sessions:
    """Thread-safe; the least recently used of more than 256 sessions is forgotten. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._sessions: dict[str, _Session] = {}
        self._guard = threading.Lock()

    def enter(self, session_id: str, now: float, timeout: float, must_exist: bool) -> tuple[str, ...]:
        """The statements to repeat; begins the session if need be. Raises QueryFailed 372 when it `must_exist`."""
        with self._guard:
            session = self._sessions.pop(session_id, None)
            if session is None or session.expires < now:
                if must_exist:
                    raise QueryFailed(Code.SESSION_NOT_FOUND, f"Session {session_id} not found")
                session = _Session([], 0.0)
            session.expires = now + min(timeout, _LONGEST)
            self._sessions[session_id] = session
            while len(self._sessions) > _SESSIONS:
                del self._sessions[next(iter(self._sessions))]
            return tuple(session.statements)

    def remember(self, session_id: str, statement: str) -> None:
        """Adds a statement that succeeded. Raises QueryFailed when the session has too many."""
        with self._guard:
            session = self._sessions.get(session_id)
            if session is None:
                return
            if len(session.statements) >= _STATEMENTS:
                raise QueryFailed(Code.BAD_ARGUMENTS, f"A session can hold {_STATEMENTS} SET and USE statements")
            session.statements.append(statement)
