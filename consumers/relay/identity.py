"""Which topics were filled: when they are others now, whoever reads them has a right to everything from the start.

They stand in log.checkpoints beside the relay's own place, under names with a colon, which no list of followers shows.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from psycopg import Connection
from psycopg.rows import DictRow


class FilledTopics:
    """Of the follower of this name; whoever has its lock changes them."""

    def __init__(self, connection: Connection[DictRow], follower: str) -> None:
        self._connection = connection
        self._prefix = f"{follower}:"

    def recall(self) -> frozenset[str]:
        """None of them before the first start of a relay that notes them."""
        rows = self._connection.execute(
            "SELECT consumer FROM log.checkpoints WHERE starts_with(consumer, %s)", (self._prefix,)
        )
        return frozenset(str(row["consumer"]).removeprefix(self._prefix) for row in rows)

    def note(self, identities: AbstractSet[str]) -> None:
        """In place of those that were noted before."""
        self._connection.execute("DELETE FROM log.checkpoints WHERE starts_with(consumer, %s)", (self._prefix,))
        for identity in identities:
            self._connection.execute(
                "INSERT INTO log.checkpoints (consumer, position) VALUES (%s, 0)", (self._prefix + identity,)
            )
