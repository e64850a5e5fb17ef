"""What the forwarder remembers, in PostgreSQL: how far ClickHouse has acknowledged, and what was sent last.

Of one that reads from Kafka only the first is here, noted by the bookkeeper (bookkeeper.py): who does the same by the
log, or the other way round, finds out by that which way was the last.

A batch is announced before it is sent. Whoever takes over sends exactly the announced batch again, under the same
token: if the first one has landed, or is still on its way, ClickHouse takes only one of the two.
"""

from __future__ import annotations

import time
from dataclasses import dataclass

from psycopg import Connection
from psycopg.rows import DictRow

from consumers.bookmark import Bookmark

CONSUMER = "forwarder"
"""The one that feeds ClickHouse, unless a topology says otherwise."""

SENT, GENERATION = "sent", "generation"
"""Behind a consumer's name and a colon: what it sent last; and when it last began anew, in nanoseconds, which is a part
of the token, so that what is sent again after going back is not taken for what was sent before.
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
    """Works on the very connection that holds the lock (lock.py): when that is lost, announcing fails, and nothing more
    is sent.
    """

    def __init__(self, connection: Connection[DictRow], consumer: str = CONSUMER) -> None:
        self._connection = connection
        self.consumer = consumer
        self.progress = Progress(0, 0, 0)

    def load(self) -> Progress:
        names = [self.consumer, self._name(SENT), self._name(GENERATION)]
        rows = self._connection.execute(
            "SELECT consumer, position FROM log.checkpoints WHERE consumer = ANY(%s)", (names,)
        )
        found = {row["consumer"]: row["position"] for row in rows}
        acknowledged, sent, generation = (found.get(name) for name in names)
        if acknowledged is None or sent is None or generation is None:
            self.rewind(acknowledged or 0)
        else:
            self.progress = Progress(acknowledged, max(sent, acknowledged), generation)
        return self.progress

    def acknowledged(self) -> int:
        """As the database has it, whoever forwards."""
        return Bookmark(self._connection, self.consumer).position()

    def by_log(self) -> bool:
        """Whether it was the log, not Kafka, that the sink was fed from last."""
        names = [self._name(SENT), self._name(GENERATION)]
        return bool(self._connection.execute("SELECT FROM log.checkpoints WHERE consumer = ANY(%s)", (names,)).rowcount)

    def hand_over(self, position: int) -> None:
        """To Kafka, from `position` on."""
        with self._connection.transaction():
            self.forget()
            self._put(self.consumer, position)
        self.progress = Progress(0, 0, 0)

    def announce(self, until: int) -> str:
        """Write down that the events up to `until` are about to be sent; returns the token to send them under."""
        self._put(self._name(SENT), until)
        self.progress = Progress(self.progress.acknowledged, until, self.progress.generation)
        return self.progress.token(self.progress.acknowledged, until)

    def acknowledge(self, until: int) -> None:
        """ClickHouse has everything up to `until`."""
        self._put(self.consumer, until)
        self.progress = Progress(until, max(until, self.progress.sent), self.progress.generation)

    def rewind(self, position: int) -> None:
        """Go on from `position`, and send under tokens that were never used."""
        generation = time.time_ns()
        with self._connection.transaction():
            self._put(self.consumer, position)
            self._put(self._name(SENT), position)
            self._put(self._name(GENERATION), generation)
        self.progress = Progress(position, position, generation)

    def forget(self) -> None:
        """As if nobody had ever read the log for this sink."""
        names = [self.consumer, self._name(SENT), self._name(GENERATION)]
        self._connection.execute("DELETE FROM log.checkpoints WHERE consumer = ANY(%s)", (names,))

    def _name(self, what: str) -> str:
        return f"{self.consumer}:{what}"

    def _put(self, name: str, position: int) -> None:
        Bookmark(self._connection, name).move(position)
