"""Dead letters: events that could not be passed on though everything was there. Each is noted with the reason before
the events behind it are acknowledged, and stays until it has been passed on after all, or is given up by hand.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from psycopg import Connection
    from psycopg.rows import DictRow

    from consumers.forwarder.sources.delivery import Delivery

MAX_ERROR = 2_000
"""Characters of a reason that are kept."""

NOTE = """
INSERT INTO log.dead_letters (follower, place, position, stage, error)
SELECT %s, l.place, l.position, l.stage, l.error
FROM unnest(%s::text[], %s::bigint[], %s::text[], %s::text[]) AS l (place, position, stage, error)
ON CONFLICT (follower, place) DO UPDATE SET stage = excluded.stage, error = excluded.error, noted_at = now()
"""
LISTED = """
SELECT place, position, stage, error, noted_at FROM log.dead_letters WHERE follower = %s
ORDER BY position NULLS FIRST, place LIMIT %s
"""


@dataclass(frozen=True)
class DeadLetter:
    """`place`: the event's position; of a message that does not even tell that, its partition and offset. `stage`:
    read, transform or insert.
    """

    place: str
    position: int | None
    stage: str
    error: str
    noted_at: datetime | None = None

    @staticmethod
    def of(delivery: Delivery, stage: str, error: str) -> DeadLetter:
        if position := delivery.position or getattr(delivery.content, "stated", 0):
            return DeadLetter.at(position, stage, error)
        return DeadLetter(f"{delivery.partition}@{delivery.offset}", None, stage, error[:MAX_ERROR])

    @staticmethod
    def at(position: int, stage: str, error: str) -> DeadLetter:
        return DeadLetter(str(position), position, stage, error[:MAX_ERROR])


def note(connection: Connection[DictRow], follower: str, letters: Sequence[DeadLetter]) -> None:
    names = ("place", "position", "stage", "error")
    columns: list[list[Any]] = [[getattr(letter, name) for letter in letters] for name in names]
    connection.execute(NOTE, (follower, *columns))


def renew(
    connection: Connection[DictRow], follower: str, after: int, until: int, letters: Sequence[DeadLetter] = ()
) -> None:
    """The events of `after` < position <= `until` were sent anew, or will be: of those noted before, only `letters`
    are dead still.
    """
    with connection.transaction():
        connection.execute(
            "DELETE FROM log.dead_letters WHERE follower = %s AND position > %s AND position <= %s",
            (follower, after, until),
        )
        note(connection, follower, letters)


def listed(connection: Connection[DictRow], follower: str, most: int = 1_000) -> list[DeadLetter]:
    """In the order of the log."""
    return [DeadLetter(**row) for row in connection.execute(LISTED, (follower, most))]


def positions(connection: Connection[DictRow], follower: str) -> list[int]:
    """Of all, in order: what a sink can't be expected to hold."""
    rows = connection.execute(
        "SELECT DISTINCT position FROM log.dead_letters WHERE follower = %s AND position IS NOT NULL ORDER BY 1",
        (follower,),
    )
    return [row["position"] for row in rows]


def forget(connection: Connection[DictRow], follower: str, places: Iterable[str]) -> int:
    """Returns how many there were."""
    done = connection.execute(
        "DELETE FROM log.dead_letters WHERE follower = %s AND place = ANY(%s)", (follower, list(places))
    )
    return done.rowcount


def forget_all(connection: Connection[DictRow], follower: str) -> None:
    connection.execute("DELETE FROM log.dead_letters WHERE follower = %s", (follower,))


def count(connection: Connection[DictRow], follower: str) -> int:
    row = connection.execute("SELECT count(*) AS n FROM log.dead_letters WHERE follower = %s", (follower,)).fetchone()
    return int(row["n"]) if row else 0
