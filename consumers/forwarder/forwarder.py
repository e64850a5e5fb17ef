"""The forwarder: source, transform and sink joined, until it is told to stop."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable
from contextlib import closing

import structlog

from consumers.forwarder.batch import DEFAULT_LIMITS, Batch, Limits, batches
from consumers.forwarder.checkpoint import Checkpoint
from consumers.forwarder.recovery import recover
from consumers.forwarder.sink import ClickHouseSink
from consumers.forwarder.source import LogSource
from consumers.forwarder.status import Status
from infra.eventlog.subscription import Listener
from infra.postgres.database import Database

BEAT = 0.5
"""Seconds after which the forwarder looks at the log even if nobody woke it."""

STOP_NOTICED = 0.05
"""Seconds within which a stop is noticed by a forwarder that has nothing to do."""

LINGER = 0.1
"""Seconds between two inserts that are not full. An event that comes alone does not wait."""

DRAIN = 10.0
"""Seconds that a stop leaves for what is in the log already."""

FIRST_BACKOFF, LAST_BACKOFF = 0.1, 5.0

log = structlog.get_logger(__name__)


class Forwarder:
    """Follows the log of a database into a ClickHouse. `status` may be read from any thread."""

    def __init__(self, database: Database, clickhouse_url: str, *, limits: Limits = DEFAULT_LIMITS) -> None:
        """`clickhouse_url`: see `infra.clickhouse.client.connect`; its user may create, alter and insert."""
        self._database = database
        self._clickhouse_url = clickhouse_url
        self._limits = limits
        self._wake = threading.Event()
        self.status = Status()

    def run(self, stop: threading.Event) -> None:
        """Runs until `stop`, through every failure: what can't be done now is tried again. After `stop` it sends what
        is in the log, for at most DRAIN seconds, unless ClickHouse or the database fails.
        """
        listener = Listener(self._database, lambda _: self._wake.set()).start()
        attempt, position = 0, -1
        try:
            while not stop.is_set():
                try:
                    self._attend(stop)
                # Whatever it is: a forwarder that gave up would lose nothing, but nobody would get anything any more.
                except Exception as error:
                    attempt = attempt + 1 if self.status.snapshot().position == position else 0
                    position = self.status.snapshot().position
                    self._back_off(stop, error, attempt)
        finally:
            listener.stop()
            self.status.note(state="stopped")

    def _attend(self, stop: threading.Event) -> None:
        """One life of the connections: become the one forwarder, find out where to go on, follow."""
        with closing(self._database.connect()) as connection:
            checkpoint, source = Checkpoint(connection), LogSource(connection)
            while not checkpoint.lock():
                self.status.note(state="waiting")
                if stop.wait(BEAT):
                    return
            with closing(ClickHouseSink(self._clickhouse_url)) as sink:
                sink.migrate()
                position = recover(source, checkpoint, sink)
                log.info("forwarding", position=position, head=source.head())
                self.status.note(state="forwarding", position=position, last_error=None)
                self._follow(source, checkpoint, sink, stop)

    def _follow(self, source: LogSource, checkpoint: Checkpoint, sink: ClickHouseSink, stop: threading.Event) -> None:
        out_of_time = deadline_after(stop, DRAIN)
        while True:
            self._wake.clear()
            began, stopping = time.monotonic(), stop.is_set()
            position, head = checkpoint.progress.acknowledged, source.head()
            for batch in batches(source.read(position, head), position, self._limits):
                self._send(batch, checkpoint, sink)
                if out_of_time():
                    log.warning("stopped before the end of the log", position=batch.until, head=head)
                    return
            if stopping:
                return
            self._wait_for_news(stop)
            if head > position:
                stop.wait(began + LINGER - time.monotonic())

    def _wait_for_news(self, stop: threading.Event) -> None:
        beat = time.monotonic() + BEAT
        while not self._wake.wait(STOP_NOTICED) and not stop.is_set() and time.monotonic() < beat:
            pass

    def _send(self, batch: Batch, checkpoint: Checkpoint, sink: ClickHouseSink) -> None:
        sink.insert(batch, checkpoint.announce(batch.until))
        checkpoint.acknowledge(batch.until)
        self.status.acknowledged(batch.until, batch.until - batch.after, len(batch.rows), batch.first_time)

    def _back_off(self, stop: threading.Event, error: Exception, attempt: int) -> None:
        # Half of it by chance, so that many who fail together don't come back together.
        seconds = min(LAST_BACKOFF, FIRST_BACKOFF * 2 ** min(attempt, 20)) * random.uniform(0.5, 1.0)  # noqa: S311
        self.status.failed(error)
        log.warning("forwarding failed, will be tried again", error=self.status.snapshot().last_error, seconds=seconds)
        stop.wait(seconds)


def deadline_after(stop: threading.Event, seconds: float) -> Callable[[], bool]:
    """Tells, when asked, whether `seconds` have passed since it was first asked after `stop`."""
    deadline: float | None = None

    def passed() -> bool:
        nonlocal deadline
        if deadline is None and stop.is_set():
            deadline = time.monotonic() + seconds
        return deadline is not None and time.monotonic() > deadline

    return passed
