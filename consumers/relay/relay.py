"""The relay itself: follows the log and produces, until it is told to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Collection, Container, Iterator
from contextlib import closing

import structlog
from psycopg import Connection
from psycopg.rows import DictRow

from consumers.backoff import through_failures
from consumers.bookmark import Bookmark
from consumers.lock import FollowerLock
from consumers.relay.beginning import begin
from consumers.relay.mark import Mark, microseconds, recorded_at
from consumers.relay.status import Status
from consumers.timeline import Timeline
from domain.events.telemetry import ClientEventsReported
from infra.eventlog.stored import stored_events
from infra.eventlog.subscription import Listener
from infra.kafka.configuration import KafkaConfiguration
from infra.kafka.errors import TooLarge
from infra.kafka.messages import Message, encode
from infra.kafka.notes import look
from infra.kafka.producer import TransactionalProducer
from infra.kafka.topics import ensure_topics
from infra.postgres.database import Database

FOLLOWER = "relay"
"""Its name in log.checkpoints, and in Kafka."""

BEAT = 0.5
"""Seconds after which the relay looks at the log even if nobody woke it."""

STOP_NOTICED = 0.05
"""Seconds within which a stop is noticed by a relay that has nothing to do."""

SILENCE = 60.0
"""Seconds without a word after which PostgreSQL takes a relay for one that hangs, perhaps with its machine, and lets
another one take over. Nothing that a relay waits for takes as long.
"""

MARK_SECONDS = 3_600.0
"""After so long without an event it leaves its mark once more: Kafka forgets what is old."""

DRAIN = 10.0
"""Seconds that a stop leaves for what is in the log already."""

log = structlog.get_logger(__name__)


class Relay:
    """Follows the log of a database into a Kafka. `status` may be read from any thread."""

    def __init__(self, database: Database, kafka: KafkaConfiguration) -> None:
        self._database, self._kafka = database, kafka
        self._wake = threading.Event()
        self._too_large: set[int] = set()
        self.status = Status()

    def run(self, stop: threading.Event) -> None:
        """Until `stop`, through every failure: what can't be done now is tried again. After `stop` it relays what is in
        the log, for at most DRAIN seconds, unless Kafka or the database fails.
        """
        listener = Listener(self._database, lambda _: self._wake.set()).start()
        try:
            through_failures(
                lambda: self._attend(stop), stop, lambda: self.status.snapshot().position, self._has_failed
            )
        finally:
            listener.stop()
            self.status.note(state="stopped")

    def _attend(self, stop: threading.Event) -> None:
        """One life of the connections: become the one relay, find out where to go on, follow."""
        with closing(self._database.connect()) as connection:
            connection.execute("SELECT set_config('idle_session_timeout', %s, false)", (f"{int(SILENCE * 1_000)}ms",))
            lock, bookmark = FollowerLock(connection, FOLLOWER), Bookmark(connection, FOLLOWER)
            while not lock.take():
                self.status.note(state="waiting")
                if stop.wait(BEAT):
                    return
            ensure_topics(self._kafka)
            with closing(TransactionalProducer(self._kafka, FOLLOWER)) as producer:
                topics = producer.identities(self._kafka.topics)
                timeline = begin(connection, bookmark, topics, look(self._kafka, FOLLOWER))
                position = bookmark.position()
                log.info("relaying", position=position)
                self.status.note(state="relaying", position=position, last_error=None)
                run = _Run(self._kafka, connection, timeline, topics, position, self._too_large)
                self._follow(run, bookmark, producer, stop)

    def _follow(self, run: _Run, bookmark: Bookmark, producer: TransactionalProducer, stop: threading.Event) -> None:
        marked, deadline = time.monotonic(), None
        while True:
            self._wake.clear()
            if stop.is_set() and deadline is None:
                deadline = time.monotonic() + DRAIN
            if events := producer.send(run, run.mark):
                bookmark.move(run.position)
                marked = time.monotonic()
                self.status.acknowledged(run.position, events)
            elif deadline is not None:
                return
            else:
                if run.position and time.monotonic() > marked + MARK_SECONDS:
                    producer.leave(run.mark())
                    marked = time.monotonic()
                self._wait_for_news(stop)
            if deadline is not None and time.monotonic() > deadline:
                log.warning("stopped before the end of the log", position=run.position)
                return

    def _wait_for_news(self, stop: threading.Event) -> None:
        beat = time.monotonic() + BEAT
        while not self._wake.wait(STOP_NOTICED) and not stop.is_set() and time.monotonic() < beat:
            pass

    def _has_failed(self, error: Exception, seconds: float) -> None:
        if isinstance(error, TooLarge):
            self._too_large.add(error.position)  # the next try will go without its body
        self.status.failed(error)
        log.warning("relaying failed, will be tried again", error=self.status.snapshot().last_error, seconds=seconds)


class _Run:
    """The next events behind a position, as messages, each time that it is iterated over. `position`: of the last one
    that was taken. `too_large`: of those that go without their bodies.
    """

    def __init__(
        self,
        kafka: KafkaConfiguration,
        connection: Connection[DictRow],
        timeline: Timeline,
        topics: Collection[str],
        position: int,
        too_large: Container[int],
    ) -> None:
        self._events, self._telemetry = kafka.topics
        self._connection, self._timeline, self._topics = connection, timeline, sorted(topics)
        self._too_large = too_large
        self._recorded = recorded_at(connection, position) or 0
        self.position = position

    def __iter__(self) -> Iterator[tuple[str, Message]]:
        number = self._timeline.number
        for fields, payload in stored_events(self._connection, self.position):
            telemetry = fields["type"] == ClientEventsReported.type_name
            message = encode(fields, payload, number, omit=fields["position"] in self._too_large)
            yield self._telemetry if telemetry else self._events, message
            self.position, self._recorded = fields["position"], microseconds(fields["time"])

    def mark(self) -> str:
        """Of all that was taken."""
        return Mark(self.position, self._recorded, self._timeline.number, self._timeline.since, self._topics).text()
