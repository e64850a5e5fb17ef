"""Reading the log in bulk, for rebuilds, verification and followers: in order, with bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, cast

from psycopg import Connection, Cursor
from psycopg.rows import DictRow

from domain.event import Event
from infra.eventlog.appender import LOCK
from infra.eventlog.decoding import Stored, decode
from infra.eventlog.mapper import EventMapper, OrjsonTranscoder, ZstdCompressor
from infra.eventlog.rows import SELECT, logged_event

FETCH_EVENTS = 5_000
FETCH_BYTES = 4 * 1024 * 1024
"""At most so much is fetched at once, but one event always is. `octet_length` does not read a large payload: its
length stands in the row.
"""

STREAM_EVENTS = 100
"""Of streams that are read whole, so many at once: there is no bound on the size of one.
"""

READ = b"""
SELECT position, time, type, schema_version, state, stream, version, source, actor_id, actor, organization_id,
    organization, correlation_id, causation_id, user_agent, idempotency_key, access_token_id, actor_email
FROM (
    SELECT *,
        sum(octet_length(state)) OVER (ORDER BY position) AS bytes, row_number() OVER (ORDER BY position) AS number
    FROM log.events
    WHERE position > %(after)s AND position <= %(until)s AND (%(types)s::text[] IS NULL OR type = ANY(%(types)s))
    ORDER BY position
    LIMIT %(events)s
) e
WHERE bytes <= %(bytes)s OR number = 1
"""


class LogReader:
    """Reads events in order, on connections of the caller's."""

    def __init__(self) -> None:
        self._mapper = EventMapper(OrjsonTranscoder(), ZstdCompressor())

    def head(self, connection: Connection[DictRow]) -> int:
        """The last position; 0 for an empty log."""
        row = connection.execute("SELECT coalesce(max(position), 0) AS head FROM log.events").fetchone()
        return cast(int, row["head"]) if row else 0

    def read(
        self,
        connection: Connection[DictRow],
        after: int,
        until: int,
        size: int = FETCH_EVENTS,
        *,
        types: Sequence[str] | None = None,
    ) -> Iterator[list[Event]]:
        """The events of `after` < position <= `until`, up to the present end, in batches of at most `size`. `types`:
        only of these.
        """
        for rows in self._fetches(connection, after, until, size, types):
            yield [decode(row) for row in rows]

    def stream(self, connection: Connection[DictRow], after: int, until: int) -> Iterator[Event]:
        """The same one at a time, so that only one large payload is unpacked at once."""
        for rows in self._fetches(connection, after, until, FETCH_EVENTS):
            for row in rows:
                yield decode(row)

    def stored(self, connection: Connection[DictRow], after: int, until: int) -> Iterator[list[Stored]]:
        """The same as they are stored, in batches: for who passes them on, or copes with one that can't be decoded."""
        return self._fetches(connection, after, until, FETCH_EVENTS)

    def of_streams(self, connection: Connection[DictRow], streams: Sequence[str]) -> Iterator[list[Event]]:
        """All events of some streams, in order, in batches."""
        with connection.cursor("streams", binary=True) as cursor:
            cursor.execute(f"{SELECT} WHERE stream = ANY(%s) ORDER BY position".encode(), (list(streams),))
            while rows := cursor.fetchmany(STREAM_EVENTS):
                yield [self._event(row) for row in rows]

    @staticmethod
    def lock_appends(cursor: Cursor[Any]) -> None:
        """Nobody appends until the cursor's transaction ends."""
        cursor.execute(LOCK)

    def _event(self, row: DictRow) -> Event:
        return cast(Event, self._mapper.to_domain_event(logged_event(row)))

    @staticmethod
    def _fetches(
        connection: Connection[DictRow], after: int, until: int, size: int, types: Sequence[str] | None = None
    ) -> Iterator[list[Stored]]:
        while after < until:
            params = {"after": after, "until": until, "events": size, "bytes": FETCH_BYTES, "types": types}
            with connection.cursor(binary=True, row_factory=_stored) as cursor:
                rows = cursor.execute(READ, params).fetchall()
            if not rows:
                return
            yield rows
            after = rows[-1].position


def _stored(_cursor: object) -> Callable[[Sequence[Any]], Stored]:
    return Stored._make
