"""Finding events in the log, for people who look at it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from psycopg import sql

from domain.errors import NotFound
from domain.event import Event
from infra.eventlog.mapper import EventMapper, OrjsonTranscoder, ZstdCompressor
from infra.eventlog.recorder import SELECT, logged_event
from infra.postgres.database import Database

BATCH = 500
NAME = re.compile(r"(?P<stream>.+)@(?P<version>\d+)")


@dataclass(frozen=True)
class Filter:
    """Which events are wanted: of a type, of a stream, or all."""

    type: str | None = None
    stream: str | None = None


class EventQuery:
    """`filter` applies to everything but `named`."""

    def __init__(self, database: Database, wanted: Filter) -> None:
        self._database = database
        self._mapper = EventMapper(OrjsonTranscoder(), ZstdCompressor())
        conditions = {"type": wanted.type, "stream": wanted.stream}
        self._values = {name: value for name, value in conditions.items() if value is not None}
        parts = [sql.SQL("AND {} = {}").format(sql.Identifier(name), sql.Placeholder(name)) for name in self._values]
        self._condition = sql.SQL(" ").join(parts)

    def last(self, limit: int) -> list[Event]:
        """The last `limit` events, in order."""
        return self._select("position > 0", "ORDER BY position DESC LIMIT %(limit)s", limit=limit)[::-1]

    def after(self, position: int) -> Iterator[Event]:
        """All behind a position, in order."""
        while events := self._select(
            "position > %(after)s", "ORDER BY position LIMIT %(limit)s", after=position, limit=BATCH
        ):
            yield from events
            position = events[-1].position

    def head(self) -> int:
        row = self._database.query_one("SELECT coalesce(max(position), 0) AS head FROM log.events")
        return int(row["head"]) if row else 0

    def named(self, name: str) -> Event:
        """An event by its position or as `stream@version`. Raises NotFound."""
        found = NAME.fullmatch(name)
        if found:
            events = self._select_named("stream = %(stream)s AND version = %(version)s", **found.groupdict())
        elif name.isdigit():
            events = self._select_named("position = %(position)s", position=int(name))
        else:
            raise NotFound(f"{name} is neither a position (17) nor a stream with a version (task-1@2)")
        if not events:
            raise NotFound(f"There is no event {name}")
        return events[0]
