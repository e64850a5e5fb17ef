"""The forwarder's source: the event log, read by position with bounded memory."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

from psycopg import Connection
from psycopg.rows import DictRow

from domain.event import Event
from infra.eventlog.mapper import EventMapper, OrjsonTranscoder, ZstdCompressor
from infra.eventlog.recorder import logged_event

FETCH_EVENTS = 2_000
FETCH_BYTES = 4 * 1024 * 1024
"""At most so much is fetched at once, but one event always is. `octet_length` does not read a large payload: its
length stands in the row.
"""

READ = b"""
SELECT * FROM (
    SELECT position, stream, version, type, schema_version, time, source, actor_id, actor, organization_id,
        organization, correlation_id, causation_id, user_agent, state,
        sum(octet_length(state)) OVER (ORDER BY position) AS bytes
    FROM log.events
    WHERE position > %(after)s AND position <= %(until)s
    ORDER BY position
    LIMIT %(events)s
) e
WHERE bytes <= %(bytes)s OR position = %(after)s + 1
"""


class LogSource:
    """Reads events one at a time, so that only one large payload is unpacked at once. Not thread-safe."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection
        self._mapper = EventMapper(OrjsonTranscoder(), ZstdCompressor())

    def head(self) -> int:
        """The last position; 0 for an empty log."""
        row = self._connection.execute("SELECT coalesce(max(position), 0) AS head FROM log.events").fetchone()
        return cast(int, row["head"]) if row else 0

    def read(self, after: int, until: int = 2**62) -> Iterator[Event]:
        """The events of `after` < position <= `until`, up to the present end of the log."""
        while after < until:
            rows = self._fetch(after, until)
            if not rows:
                return
            for row in rows:
                yield self._mapper.to_domain_event(logged_event(row))
            after = rows[-1]["position"]

    def _fetch(self, after: int, until: int) -> list[DictRow]:
        params: dict[str, Any] = {"after": after, "until": until, "events": FETCH_EVENTS, "bytes": FETCH_BYTES}
        with self._connection.cursor(binary=True) as cursor:
            return cursor.execute(READ, params).fetchall()
