"""An agent's sign of life: while it beats it holds the lease on what it works on."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

import psycopg
import structlog

from domain.errors import Unavailable
from infra.postgres.database import Database

log = structlog.get_logger(__name__)

BEATS_PER_LEASE = 4

BEAT = b"""
INSERT INTO log.agents (agent, queues) VALUES (%(agent)s, %(queues)s)
ON CONFLICT (agent) DO UPDATE SET queues = excluded.queues, beat_at = now()
"""
LEAVE = b"DELETE FROM log.agents WHERE agent = %(agent)s"

# What an agent that was killed leaves. It is of no use once its requests have been taken back, within a lease.
FORGET_OTHERS = b"DELETE FROM log.agents WHERE beat_at < now() - interval '1 day'"


class Heartbeat:
    """Beats from a thread of its own, also while the agent works. As a context manager it comes and goes."""

    def __init__(self, database: Database, agent: str, queues: Sequence[str], lease_seconds: float) -> None:
        self._database = database
        self._row = {"agent": agent, "queues": list(queues)}
        self._lease_seconds = lease_seconds
        self._last = -lease_seconds
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    @property
    def fresh(self) -> bool:
        """Whether others know that this agent lives: until then, what it took up would be taken from it."""
        return time.monotonic() - self._last < self._lease_seconds / 2

    def __enter__(self) -> Self:
        self._execute(FORGET_OTHERS)
        self._beat()
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stopped.set()
        self._thread.join()
        self._execute(LEAVE)

    def _run(self) -> None:
        while not self._stopped.wait(self._lease_seconds / BEATS_PER_LEASE):
            self._beat()

    def _beat(self) -> None:
        # Before the statement, not after: the lease counts from when the database writes the row.
        now = time.monotonic()
        if self._execute(BEAT):
            self._last = now

    def _execute(self, statement: bytes) -> bool:
        try:
            with self._database.connection() as connection:
                connection.execute(statement, self._row)
        except (Unavailable, psycopg.Error) as error:
            log.warning("no heartbeat", agent=self._row["agent"], error=str(error))
            return False
        return True
