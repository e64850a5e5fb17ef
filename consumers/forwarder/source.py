"""The forwarder's source: the event log, read by position."""

from __future__ import annotations

from collections.abc import Iterator

from psycopg import Connection
from psycopg.rows import DictRow

from domain.event import Event
from infra.eventlog.reader import LogReader


class LogSource:
    """The log, on one connection. Not thread-safe."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection
        self._reader = LogReader()

    def head(self) -> int:
        """The last position; 0 for an empty log."""
        return self._reader.head(self._connection)

    def read(self, after: int, until: int = 2**62) -> Iterator[Event]:
        """The events of `after` < position <= `until`, up to the present end of the log."""
        return self._reader.stream(self._connection, after, until)
