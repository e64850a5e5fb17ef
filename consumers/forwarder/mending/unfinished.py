"""A repair or a rebuild behind Kafka that has begun: the forwarders are told to pass over everything up to a position,
and the sink may not have all of it yet. It is noted before, and forgotten when it is done; who finds it, finishes it.
"""

from __future__ import annotations

from psycopg import Connection
from psycopg.rows import DictRow

from consumers.bookmark import Bookmark


class Unfinished:
    """Of one consumer's sink."""

    def __init__(self, connection: Connection[DictRow], consumer: str) -> None:
        self._connection = connection
        self._bookmark = Bookmark(connection, f"{consumer}:unfinished")

    @property
    def until(self) -> int:
        """0: there is none."""
        return self._bookmark.position()

    def begin(self, until: int) -> None:
        self._bookmark.move(max(until, self.until))

    def end(self) -> None:
        self._connection.execute("DELETE FROM log.checkpoints WHERE consumer = %s", (self._bookmark.follower,))
