"""The log's timeline: as long as the log only grows, it has one. When it was restored to an earlier state, other events
follow at positions that had some before: a new timeline begins, and whoever has anything of the old one has to let go
of what the log does not have any more.

It is the relay that notices, for Kafka remembers what was relayed. It is noted in log.checkpoints before anything of
the new timeline is in Kafka, under names with a colon, which no list of followers shows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from psycopg import Connection
from psycopg.rows import DictRow

from consumers.bookmark import Bookmark

NUMBER, SINCE, STARTS = "timeline:number", "timeline:since", "timeline:start:"


@dataclass(frozen=True)
class Timeline:
    """`number`: a later one has a higher; 0 of a log that was never restored. `since`: up to this position all
    timelines agree. `starts`: of partitions of Kafka, by name, the offset from which all messages are of this one.
    """

    number: int = 0
    since: int = 0
    starts: Mapping[str, int] = field(default_factory=dict)


FIRST = Timeline()


def current(connection: Connection[DictRow]) -> Timeline:
    """As it is noted."""
    rows = connection.execute("SELECT consumer, position FROM log.checkpoints WHERE starts_with(consumer, 'timeline:')")
    noted = {str(row["consumer"]): int(row["position"]) for row in rows}
    starts = {name.removeprefix(STARTS): offset for name, offset in noted.items() if name.startswith(STARTS)}
    return Timeline(noted.get(NUMBER, 0), noted.get(SINCE, 0), starts)


def note(connection: Connection[DictRow], timeline: Timeline) -> None:
    """In place of the one before."""
    with connection.transaction():
        connection.execute("DELETE FROM log.checkpoints WHERE starts_with(consumer, 'timeline:')")
        places = {NUMBER: timeline.number, SINCE: timeline.since}
        places |= {STARTS + name: offset for name, offset in timeline.starts.items()}
        for name, position in places.items():
            Bookmark(connection, name).move(position)
