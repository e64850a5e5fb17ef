"""Who follows the log, and how far they are: as the database knows it, whether they run or not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from psycopg import Connection
from psycopg.rows import DictRow

from infra.postgres.database import Database

LOCKS = 0x466F7277  # "Forw", as forwarders of earlier versions have it: they may still run during an update
"""The first number of the advisory locks that those who are at work hold; the second is a hash of the name."""

RELAY = "relay"
"""The one that fills Kafka."""

STILL_SECONDS = 30.0
"""Who did not move for so long, with events before it, is late."""

FOLLOWERS = """
WITH named AS (
    SELECT unnest(%(wanted)s::text[]) AS follower
    UNION SELECT consumer FROM log.checkpoints WHERE strpos(consumer, ':') = 0
    UNION SELECT follower FROM log.dead_letters
), placed AS (
    SELECT n.follower, coalesce(c.position, 0) AS position, c.updated_at, EXISTS (
        SELECT FROM pg_locks l WHERE l.locktype = 'advisory' AND l.granted AND l.objsubid = 2
            AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
            AND l.classid = %(locks)s::oid AND l.objid::bigint = hashtext(n.follower)::bigint & 4294967295
    ) AS at_work
    FROM named n LEFT JOIN log.checkpoints c ON c.consumer = n.follower
)
SELECT p.follower, p.position, greatest(h.head - p.position, 0) AS events,
    greatest(coalesce(extract(epoch FROM now() - e.time), 0), 0)::float AS seconds,
    extract(epoch FROM now() - p.updated_at)::float AS still, p.at_work,
    %(wanted)s::text[] IS NULL OR p.follower = ANY(%(wanted)s) OR p.at_work AS in_use,
    (SELECT count(*) FROM log.dead_letters d WHERE d.follower = p.follower) AS dead_letters
FROM placed p CROSS JOIN (SELECT coalesce(max(position), 0) AS head FROM log.events) h
LEFT JOIN log.events e ON e.position = p.position + 1
ORDER BY p.follower
"""


@dataclass(frozen=True)
class Follower:
    """`position`: up to where it has acknowledged; `events` behind that, of which the oldest is `seconds` old; `still`:
    seconds since it moved, None for one that never did. `at_work`: whether a process has it in hand, which may hang.
    `in_use`: whether it should be at work; the place of one that is not was left by another topology.
    """

    follower: str
    position: int
    events: int
    seconds: float
    still: float | None
    at_work: bool
    in_use: bool
    dead_letters: int

    @property
    def trouble(self) -> str | None:
        """Why it does not come nearer to the end of the log, in words; None when it does, or has nothing to do."""
        if not self.in_use or not self.events or self.seconds < STILL_SECONDS:
            return None
        if self.still is None:
            return "has not started"
        return None if self.still < STILL_SECONDS else f"has not moved for {self.still:.0f} s"

    @property
    def state(self) -> str:
        """In a word or two."""
        if not self.in_use:
            return "not in use"
        return "at work" if self.at_work else "nobody is at work"


def followers(database: Database, wanted: Sequence[str] | None) -> list[Follower]:
    """By name. `wanted`: those that should be at work; None when that is not known, then all that ever were."""
    parameters: dict[str, Any] = {"wanted": None if wanted is None else list(wanted), "locks": LOCKS}
    return [Follower(**row) for row in database.query(FOLLOWERS, parameters)]


def forget(connection: Connection[DictRow], follower: str) -> None:
    """Its place, and what else is kept under its name."""
    connection.execute(
        "DELETE FROM log.checkpoints WHERE consumer = %s OR starts_with(consumer, %s)", (follower, f"{follower}:")
    )
