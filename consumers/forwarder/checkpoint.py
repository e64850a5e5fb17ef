"""What the forwarder remembers, in PostgreSQL: how far ClickHouse has acknowledged, and what was sent last.

A batch is announced before it is sent. Whoever takes over sends exactly the announced batch again, under the same
token: if the first one has landed, or is still on its way, ClickHouse takes only one of the two.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from psycopg import Connection
from psycopg.rows import DictRow

CONSUMER = "forwarder"
SENT = "forwarder:sent"
GENERATION = "forwarder:generation"
"""When the forwarder last began anew, in nanoseconds. A part of the token, so that what is sent again after going back
is not taken for what was sent before.
"""

LOCK_SPACE = 0x466F7277  # "Forw"

UPSERT = """
INSERT INTO log.checkpoints (consumer, position) VALUES (%s, %s)
ON CONFLICT (consumer) DO UPDATE SET position = excluded.position, updated_at = now()
"""


@dataclass(frozen=True)
class Progress:
    """`acknowledged` <= `sent`; what lies between was sent, and may or may not have arrived."""

    acknowledged: int
    sent: int
    generation: int

    def token(self, after: int, until: int) -> str:
        return f"annals:{self.generation}:{after}-{until}"


class Checkpoint:
    """Works on the very connection that holds the lock: when the lock is lost, announcing fails, and nothing more is
    sent.
    """

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection
        self.progress = Progress(0, 0, 0)

    def lock(self) -> bool:
        """Whether this is the one forwarder now. The lock is PostgreSQL's, and ends with the connection."""
        row = self._connection.execute(
            "SELECT pg_try_advisory_lock(%s, hashtext(%s)) AS locked", (LOCK_SPACE, CONSUMER)
        ).fetchone()
        return bool(row and row["locked"])

    def load(self) -> Progress:
        rows = self._connection.execute(
            "SELECT consumer, position FROM log.checkpoints WHERE consumer = ANY(%s)", ([CONSUMER, SENT, GENERATION],)
        )
        found = {row["consumer"]: row["position"] for row in rows}
        if GENERATION not in found:
            self.rewind(found.get(CONSUMER, 0))
        else:
            acknowledged = found[CONSUMER]
            self.progress = Progress(acknowledged, max(found[SENT], acknowledged), found[GENERATION])
        return self.progress

    def announce(self, until: int) -> str:
        """Write down that the events up to `until` are about to be sent; returns the token to send them under."""
        self._put(SENT, until)
        self.progress = Progress(self.progress.acknowledged, until, self.progress.generation)
        return self.progress.token(self.progress.acknowledged, until)

    def acknowledge(self, until: int) -> None:
        """ClickHouse has everything up to `until`."""
        self._put(CONSUMER, until)
        self.progress = Progress(until, max(until, self.progress.sent), self.progress.generation)

    def rewind(self, position: int) -> None:
        """Go on from `position`, and send under tokens that were never used."""
        generation = time.time_ns()
        with self._connection.transaction():
            self._put(CONSUMER, position)
            self._put(SENT, position)
            self._put(GENERATION, generation)
        self.progress = Progress(position, position, generation)

    def _put(self, name: str, position: int) -> None:
        self._connection.execute(UPSERT, (name, position))
