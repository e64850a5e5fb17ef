"""How far the forwarder is, for those who ask: from within its process, or from the database."""

from __future__ import annotations

import threading
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import DictRow

from consumers.forwarder.checkpoint import CONSUMER

LAG = """
SELECT coalesce(c.position, 0) AS position, l.head, c.updated_at,
    coalesce(extract(epoch FROM now() - e.time), 0)::float8 AS seconds
FROM (SELECT coalesce(max(position), 0) AS head FROM log.events) l
LEFT JOIN log.checkpoints c ON c.consumer = %s
LEFT JOIN log.events e ON e.position = coalesce(c.position, 0) + 1
"""


@dataclass(frozen=True)
class Lag:
    """`position`: up to where ClickHouse has acknowledged; `head`: the end of the log; `seconds`: for how long the
    oldest event behind has been waiting, 0 when there is none.
    """

    position: int
    head: int
    seconds: float
    acknowledged_at: datetime | None

    @property
    def events(self) -> int:
        return self.head - self.position


def lag(connection: Connection[DictRow]) -> Lag:
    """As the database knows it; also when no forwarder runs."""
    row = connection.execute(LAG, (CONSUMER,)).fetchone()
    assert row is not None
    return Lag(row["position"], row["head"], max(0.0, row["seconds"]), row["updated_at"])


@dataclass(frozen=True)
class Snapshot:
    """`state`: starting, waiting (another forwarder is at work), forwarding, failing or stopped.

    `position`: up to where ClickHouse has acknowledged. `delay`: seconds from when the oldest event of the last batch
    was recorded until ClickHouse acknowledged it. Counts are since the process started.
    """

    state: str = "starting"
    position: int = 0
    delay: float = 0.0
    events: int = 0
    rows: int = 0
    batches: int = 0
    failures: int = 0
    last_error: str | None = None


class Status:
    """What the forwarder's thread notes and others read."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._now = Snapshot()

    def snapshot(self) -> Snapshot:
        return self._now

    def note(self, **changes: Any) -> None:
        with self._lock:
            self._now = Snapshot(**{**asdict(self._now), **changes})

    def acknowledged(self, until: int, events: int, rows: int, recorded: datetime) -> None:
        now = self._now
        self.note(
            state="forwarding",
            position=until,
            delay=max(0.0, (datetime.now(UTC) - recorded).total_seconds()),
            events=now.events + events,
            rows=now.rows + rows,
            batches=now.batches + 1,
            last_error=None,
        )

    def failed(self, error: BaseException) -> None:
        self.note(state="failing", failures=self._now.failures + 1, last_error=f"{type(error).__name__}: {error}")
