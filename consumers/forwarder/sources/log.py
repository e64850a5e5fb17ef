"""The event log as a source: one partition, whose offsets are the positions."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence

from psycopg import Connection
from psycopg.rows import DictRow

from consumers.forwarder.checkpoint import Checkpoint
from consumers.forwarder.sources.source import Behind, Delivery, Span, Unreadable
from consumers.forwarder.status import lag
from domain.event import Event
from infra.eventlog.mapper import LoggedEvent
from infra.eventlog.reader import LogReader

PARTITION = "log"


class LogFeed:
    """Deliveries of the log from a position on, a fetch at a time."""

    def __init__(self, connection: Connection[DictRow], position: int) -> None:
        self._connection = connection
        self._reader = LogReader()
        self.position = position

    def fetch(self) -> Sequence[LoggedEvent]:
        """What comes next, as it is stored; nothing at the end of the log."""
        return next(self._reader.logged(self._connection, self.position, 2**62), ())

    def deliver(self, fetched: Sequence[LoggedEvent]) -> Iterator[Delivery]:
        """Decoded one at a time."""
        for logged in fetched:
            self.position = logged.id
            yield Delivery(PARTITION, logged.id, logged.id, logged.meta.time, self._content(logged))

    def _content(self, logged: LoggedEvent) -> Event | Unreadable:
        try:
            return self._reader.decode(logged)
        except Exception as error:  # whatever is wrong with it, those behind it are to be read
            return Unreadable(f"{logged.topic}: {type(error).__name__}: {error}")


class LogSource:
    """Reads on one connection and remembers on that of the checkpoint. `wake`: set when the log may have grown."""

    def __init__(self, connection: Connection[DictRow], checkpoint: Checkpoint, wake: threading.Event) -> None:
        self._connection, self._checkpoint, self._wake = connection, checkpoint, wake
        self._feed = LogFeed(connection, checkpoint.progress.acknowledged)
        self._paused = False

    def poll(self, seconds: float) -> Iterator[Delivery]:
        if self._paused:
            return
        self._wake.clear()
        fetched = self._feed.fetch()
        if not fetched and seconds and self._wake.wait(seconds):
            fetched = self._feed.fetch()
        yield from self._feed.deliver(fetched)

    def pause(self) -> None:
        self._paused = True

    def resume(self) -> None:
        self._paused = False

    def revoked(self) -> frozenset[str]:
        """Never: whoever has the lock has the log."""
        return frozenset()

    def start(self, partition: str) -> int:  # noqa: ARG002 - there is only one
        return self._checkpoint.progress.acknowledged

    def announced(self, partition: str) -> int | None:  # noqa: ARG002
        progress = self._checkpoint.progress
        return progress.sent if progress.sent > progress.acknowledged else None

    def announce(self, span: Span) -> str:
        return self._checkpoint.announce(span.until)

    def acknowledge(self, span: Span) -> None:
        self._checkpoint.acknowledge(span.until)

    def behind(self) -> Behind:
        found = lag(self._connection, self._checkpoint.consumer)
        return Behind(found.events, found.seconds)

    def close(self) -> None:
        self._connection.close()
