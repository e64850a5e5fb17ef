"""Finding events in the log, for people who look at it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import domain.events  # noqa: F401  (registers every event type)
from domain.errors import NotFound
from domain.event import Event
from infra.eventlog.mapper import EventMapper, OrjsonTranscoder, ZstdCompressor
from infra.eventlog.rows import SELECT, logged_event
from infra.postgres.database import Database

BATCH = 500
NAME = re.compile(r"(?P<stream>.+)@(?P<version>\d{1,18})")

WANTED = "(%(type)s::text IS NULL OR type = %(type)s) AND (%(stream)s::text IS NULL OR stream = %(stream)s)"
LAST = f"{SELECT} WHERE {WANTED} ORDER BY position DESC LIMIT %(limit)s"
AFTER = f"{SELECT} WHERE position > %(after)s AND {WANTED} ORDER BY position LIMIT {BATCH}"
AT_POSITION = f"{SELECT} WHERE position = %(position)s"
AT_VERSION = f"{SELECT} WHERE stream = %(stream)s AND version = %(version)s"


class EventQuery:
    """Reads the events of one type, of one stream, or all."""

    def __init__(self, database: Database, event_type: str | None = None, stream: str | None = None) -> None:
        self._database = database
        self._wanted = {"type": event_type, "stream": stream}
        self._mapper = EventMapper(OrjsonTranscoder(), ZstdCompressor())

    def last(self, limit: int) -> list[Event]:
        """The last `limit` events, in order."""
        return self._read(LAST, limit=limit)[::-1]

    def after(self, position: int) -> Iterator[Event]:
        """All behind a position, in order."""
        while events := self._read(AFTER, after=position):
            yield from events
            position = events[-1].position

    def named(self, name: str) -> Event:
        """An event by its position, or as `stream@version`, whatever its type. Raises NotFound."""
        if found := NAME.fullmatch(name):
            events = self._read(AT_VERSION, stream=found["stream"], version=int(found["version"]))
        elif name.isdigit() and len(name) <= 18:
            events = self._read(AT_POSITION, position=int(name))
        else:
            raise NotFound(f"{name} is neither a position (17) nor a stream and a version (task-1@2)")
        if not events:
            raise NotFound(f"There is no event {name}")
        return events[0]

    def _read(self, statement: str, **params: Any) -> list[Event]:
        rows = self._database.query(statement.encode(), self._wanted | params)
        return [self._mapper.to_domain_event(logged_event(row)) for row in rows]
