"""The event log as a source: one partition, whose offsets are the positions."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

from psycopg import Connection
from psycopg.rows import DictRow

from consumers.forwarder.batch import Made
from consumers.forwarder.checkpoint import Checkpoint
from consumers.forwarder.sources.deliveries import PARTITION, LogPortion
from consumers.forwarder.sources.delivery import Behind, Delivery, Span
from consumers.forwarder.sources.portions import Portion, portioned
from consumers.forwarder.status import lag
from infra.eventlog.decoding import Stored
from infra.eventlog.mapper import unpacked_size
from infra.eventlog.reader import FETCH_EVENTS, LogReader

MANY = FETCH_EVENTS // 2
"""When as many come at once, more will be behind them. Fewer are the log's end, or so large that one fetch of them in
memory is enough.
"""


class LogFeed:
    """The log from a position on, a fetch at a time. `position`: up to where it was fetched."""

    def __init__(self, connection: Connection[DictRow], position: int) -> None:
        self._connection = connection
        self._reader = LogReader()
        self.position = position

    def fetch(self) -> Sequence[Stored]:
        """What comes next, as it is stored; nothing at the end of the log."""
        fetched = next(self._reader.stored(self._connection, self.position, 2**62), ())
        if fetched:
            self.position = fetched[-1].position
        return fetched

    def head(self) -> int:
        """The end of the log."""
        return self._reader.head(self._connection)


class LogSource:
    """Reads on one connection and remembers on that of the checkpoint. `wake`: set when the log may have grown.
    `position`: up to where the events were taken.

    While it catches up, the next fetch is on its way while the last one is delivered.
    """

    def __init__(self, connection: Connection[DictRow], checkpoint: Checkpoint, wake: threading.Event) -> None:
        self._connection, self._checkpoint, self._wake = connection, checkpoint, wake
        self.position = checkpoint.progress.acknowledged
        self._feed = LogFeed(connection, self.position)
        self._fetcher = ThreadPoolExecutor(1, thread_name_prefix="fetch")
        self._ahead: Future[Sequence[Stored]] | None = None
        self.paused = False

    def poll(self, seconds: float) -> Iterator[Delivery]:
        for portion in self.take(seconds):
            yield from portion.deliveries()

    def take(self, seconds: float) -> Sequence[LogPortion]:
        if self.paused:
            return ()
        self._wake.clear()
        fetched = self._fetch()
        if not fetched and seconds and self._wake.wait(seconds):
            fetched = self._fetch()
        if len(fetched) >= MANY:
            self._ahead = self._fetcher.submit(self._feed.fetch)
        if fetched:
            self.position = fetched[-1].position
        announced = self.announced(PARTITION) or 0
        return [LogPortion(stored, stored[0].position <= announced) for stored in portioned(fetched, _weight)]

    def deliveries(self, portion: Portion) -> Iterator[Delivery]:
        return portion.deliveries()

    def accept(self, portion: Portion, made: Made) -> bool:  # noqa: ARG002 - nothing comes twice, or is taken away
        return True

    def unread(self) -> int:
        return max(0, self._feed.head() - self.position)

    def _fetch(self) -> Sequence[Stored]:
        ahead, self._ahead = self._ahead, None
        # What was fetched ahead and is empty is no news: something may have been appended since.
        return (ahead and ahead.result()) or self._feed.fetch()

    def pause(self) -> None:
        self.paused = True

    def resume(self) -> None:
        self.paused = False

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
        self._fetcher.shutdown()
        self._connection.close()


def _weight(stored: Stored) -> tuple[int, int]:
    return 1, unpacked_size(stored.state)
