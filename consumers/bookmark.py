"""How far a follower of the log has come, in log.checkpoints: whoever has its lock (lock.py) moves it."""

from __future__ import annotations

from psycopg import Connection
from psycopg.rows import DictRow

UPSERT = """
INSERT INTO log.checkpoints (consumer, position) VALUES (%s, %s)
ON CONFLICT (consumer) DO UPDATE SET position = excluded.position, updated_at = now()
"""


class Bookmark:
    """Works on the very connection that holds the follower's lock: when that is lost, moving fails."""

    def __init__(self, connection: Connection[DictRow], follower: str) -> None:
        self._connection = connection
        self.follower = follower

    def position(self) -> int:
        """0 for who never moved it."""
        row = self._connection.execute(
            "SELECT position FROM log.checkpoints WHERE consumer = %s", (self.follower,)
        ).fetchone()
        return int(row["position"]) if row else 0

    def move(self, position: int) -> None:
        self._connection.execute(UPSERT, (self.follower, position))
