"""Reading the log in bulk, for rebuilds, verification and followers."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from psycopg import Connection, Cursor
from psycopg.rows import DictRow

from domain.event import Event
from infra.eventlog.mapper import EventMapper, OrjsonTranscoder, ZstdCompressor
from infra.eventlog.recorder import LOCK, SELECT, logged_event

BATCH_EVENTS = 5_000
BATCH_BYTES = 32 * 1024 * 1024
"""A batch ends early when its payloads reach this size, so that huge events don't pile up in memory."""


class LogReader:
    """Reads events in order, on connections of the caller's."""

    def __init__(self) -> None:
        self._mapper = EventMapper(OrjsonTranscoder(), ZstdCompressor())

    def head(self, connection: Connection[DictRow]) -> int:
        row = connection.execute("SELECT coalesce(max(position), 0) AS head FROM log.events").fetchone()
        return cast(int, row["head"]) if row else 0

    def read(
        self, connection: Connection[DictRow], after: int, until: int, size: int = BATCH_EVENTS
    ) -> Iterator[list[Event]]:
        statement = (SELECT + "WHERE position > %s AND position <= %s ORDER BY position LIMIT %s").encode()
        while after < until:
            rows = connection.execute(statement, (after, until, size)).fetchall()
            if not rows:
                return
            for batch in _bounded(rows):
                yield [self._mapper.to_domain_event(logged_event(row)) for row in batch]
            after = rows[-1]["position"]

    @staticmethod
    def lock_appends(cursor: Cursor[Any]) -> None:
        """Nobody appends until the cursor's transaction ends."""
        cursor.execute(LOCK)


def _bounded(rows: list[DictRow]) -> Iterator[list[DictRow]]:
    batch: list[DictRow] = []
    size = 0
    for row in rows:
        batch.append(row)
        size += len(row["state"])
        if size >= BATCH_BYTES:
            yield batch
            batch, size = [], 0
    if batch:
        yield batch
