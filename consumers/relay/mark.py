"""What the relay leaves in Kafka with each run, in the same transaction: how far the log is there.

So a relay that was killed before it noted that in the database repeats nothing. And it finds out when the log was
restored to an earlier state, with which all that the database remembers went back as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta

import orjson
from psycopg import Connection
from psycopg.rows import DictRow

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Mark:
    """`position`: of the last event that was relayed; `recorded`: when that was recorded, in microseconds since 1970.
    `timeline`, `since`: those of its timeline. `topics`: the identities of those that were filled.
    """

    position: int
    recorded: int
    timeline: int
    since: int
    topics: Sequence[str]

    @classmethod
    def read(cls, text: str) -> Mark:
        return cls(**orjson.loads(text))

    def text(self) -> str:
        return orjson.dumps(asdict(self)).decode()

    def is_in(self, connection: Connection[DictRow]) -> bool:
        """Whether the log has this very event there. One that was restored has none, or another one."""
        return recorded_at(connection, self.position) == self.recorded


def recorded_at(connection: Connection[DictRow], position: int) -> int | None:
    """When the event at a position was recorded, in microseconds since 1970; None when there is none."""
    row = connection.execute("SELECT time FROM log.events WHERE position = %s", (position,)).fetchone()
    return microseconds(row["time"]) if row else None


def microseconds(moment: datetime) -> int:
    return (moment - EPOCH) // MICROSECOND
