"""The bookkeeper: notes beside the log how far a sink is that is fed from Kafka, which alone would know it.

So whoever looks at the database sees how far behind it is, also when its forwarders hang, died, or can't start.
"""

from __future__ import annotations

import threading

import structlog

from consumers import timeline
from consumers.bookmark import Bookmark
from consumers.forwarder.checkpoint import Checkpoint
from consumers.forwarder.means import Means
from consumers.forwarder.mending.unfinished import Unfinished
from consumers.forwarder.topology import Route
from consumers.lock import FollowerLock
from infra.eventlog.followers import RELAY

SECONDS = 3.0
"""Between two looks."""

log = structlog.get_logger(__name__)


class Bookkeeper:
    """Of one route from Kafka. Each process has one, and each of them sees the same."""

    def __init__(self, route: Route, means: Means) -> None:
        from consumers.forwarder.sources.reach import Reach  # a library that only who needs it loads

        self._route, self._means = route, means
        self._make = Reach
        self._reach: Reach | None = None

    def run(self, stop: threading.Event) -> None:
        """Until `stop`. What fails is tried again the next time."""
        while not stop.wait(SECONDS):
            self._try()

    def close(self) -> None:
        """After the forwarders have ended: a last look, unless the last one failed."""
        if self._reach is not None:
            self._try()
        self._forget()

    def look(self) -> None:
        """Once. Raises Unavailable, KafkaRefused."""
        with self._means.database.connect() as connection:
            bookmark = Bookmark(connection, self._route.consumer)
            before, relayed = bookmark.position(), Bookmark(connection, RELAY).position()
            # During a repair Kafka says already what will be true at its end.
            if before == relayed or Unfinished(connection, self._route.consumer).until:
                return
            assert self._means.kafka is not None  # the topology was checked
            self._reach = self._reach or self._make(self._means.kafka, self._route.name)
            position = self._reach.position(relayed, timeline.current(connection).number)
            lock = FollowerLock(connection, self._route.consumer)
            if not lock.take(shared=True):
                return  # somebody has the sink for themselves, and will say how far it is
            if not Checkpoint(connection, self._route.consumer).by_log():
                bookmark.move(min(max(before, position), relayed))  # less when a log was restored
            lock.release(shared=True)

    def _try(self) -> None:
        try:
            self.look()
        except Exception as error:
            log.warning("it can't be noted how far the sink is", sink=self._route.name, error=str(error))
            self._forget()

    def _forget(self) -> None:
        reach, self._reach = self._reach, None
        if reach is not None:
            reach.close()
