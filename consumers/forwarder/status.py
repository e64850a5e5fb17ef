"""How far the forwarder is, for those who ask: from within its process, or from the database."""

from __future__ import annotations

import threading
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from psycopg import Connection
from psycopg.rows import DictRow

from consumers.forwarder.batch import Batch
from consumers.forwarder.buffer import Buffer
from consumers.forwarder.checkpoint import CONSUMER
from consumers.forwarder.sources.delivery import Behind
from infra.metrics import forwarder as metrics

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


def lag(connection: Connection[DictRow], consumer: str = CONSUMER) -> Lag:
    """As the database knows it; also when no forwarder runs."""
    row = connection.execute(LAG, (consumer,)).fetchone()
    assert row is not None
    return Lag(row["position"], row["head"], max(0.0, row["seconds"]), row["updated_at"])


@dataclass(frozen=True)
class Snapshot:
    """`state`: starting, waiting (another forwarder is at work), forwarding, failing or stopped.

    `position`: the highest that the sink has acknowledged; of Kafka, others before it may still be on their way.
    `delay`: seconds from when the oldest event of the last batch was recorded until the sink acknowledged it. Counts
    are since the process started.
    """

    state: str = "starting"
    position: int = 0
    delay: float = 0.0
    events: int = 0
    rows: int = 0
    batches: int = 0
    dead: int = 0
    failures: int = 0
    last_error: str | None = None


class Status:
    """What a forwarder's thread notes and others read: the last state for people, and counts for Prometheus."""

    def __init__(self, sink: str) -> None:
        self._lock = threading.Lock()
        self._now = Snapshot()
        self._read, self._transformed, self._sent, self._acknowledged = (
            metrics.EVENTS.labels(sink, stage) for stage in ("read", "transformed", "sent", "acknowledged")
        )
        self._passing, self._refused, self._unreadable = (
            metrics.ERRORS.labels(sink, kind) for kind in ("passing", "refused", "unreadable")
        )
        self._rows, self._batches = metrics.ROWS.labels(sink), metrics.BATCHES.labels(sink)
        self._lag_events, self._lag_seconds = metrics.LAG_EVENTS.labels(sink), metrics.LAG_SECONDS.labels(sink)
        self._buffer = {
            where: (metrics.BUFFER_EVENTS.labels(sink, where), metrics.BUFFER_BYTES.labels(sink, where))
            for where in ("memory", "disk")
        }

    def snapshot(self) -> Snapshot:
        return self._now

    def note(self, **changes: Any) -> None:
        with self._lock:
            self._now = replace(self._now, **changes)

    def read(self, events: int, unreadable: int) -> None:
        """So many events came from the source; that many of them have no rows."""
        self._read.inc(events)
        self._transformed.inc(events - unreadable)
        self._unreadable.inc(unreadable)

    def sent(self, events: int) -> None:
        self._sent.inc(events)

    def acknowledged(self, batch: Batch, refused: int) -> None:
        now = self._now
        events = batch.events - len(batch.dead) - refused
        self.note(
            state="forwarding",
            position=max(now.position, batch.position),
            delay=max(0.0, (datetime.now(UTC) - batch.first_time).total_seconds()),
            events=now.events + events,
            rows=now.rows + batch.row_count,
            batches=now.batches + 1,
            dead=now.dead + len(batch.dead) + refused,
            last_error=None,
        )
        self._acknowledged.inc(events)
        self._refused.inc(refused)
        self._rows.inc(batch.row_count)
        self._batches.inc()

    def buffered(self, buffer: Buffer) -> None:
        for where, events, size in (
            ("memory", buffer.memory_events, buffer.memory_bytes),
            ("disk", buffer.disk_events, buffer.disk_bytes),
        ):
            self._buffer[where][0].set(events)
            self._buffer[where][1].set(size)

    def behind(self, behind: Behind) -> None:
        self._lag_events.set(behind.events)
        self._lag_seconds.set(behind.seconds)

    def failed(self, error: BaseException) -> None:
        self.note(state="failing", failures=self._now.failures + 1, last_error=f"{type(error).__name__}: {error}")
        self._passing.inc()
