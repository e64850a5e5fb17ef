"""A forwarder: one route of the topology, followed through every failure until it is told to stop."""

from __future__ import annotations

import threading
from functools import partial

import structlog

from consumers.backoff import through_failures
from consumers.forwarder import dead_letters
from consumers.forwarder.buffer import Buffer
from consumers.forwarder.intake.intake import CatchingUpIntake, Intake, PlainIntake
from consumers.forwarder.intake.workers import Workers
from consumers.forwarder.means import Means
from consumers.forwarder.memory import give_back
from consumers.forwarder.mending.second_chance import SecondChance
from consumers.forwarder.opening import Open, opened
from consumers.forwarder.pipeline import Flow, Pipeline
from consumers.forwarder.sources.source import Source
from consumers.forwarder.status import Status
from consumers.forwarder.topology import Route
from infra.clickhouse.client import ClickHouseRefused
from infra.eventlog.subscription import Listener

WITHOUT_TABLES = (16, 47, 60, 81)
"""Codes of a ClickHouse whose tables are not there, or not as they should be."""

LOCK_SECONDS = 0.5
"""Between two looks whether the forwarder that is at work has ended."""

log = structlog.get_logger(__name__)


class Forwarder:
    """Follows a source into a sink. `status` may be read from any thread."""

    def __init__(self, route: Route, means: Means) -> None:
        """Raises Wrong for a route that can't be followed with these means."""
        self._route, self._means = route, means
        self._shaper, self._limits = route.shaper(means.key), route.sink.batch.limits()
        self._wake = threading.Event()
        self._migrated = False
        self._second_chance = SecondChance(route, means)
        self.name = route.name
        self.status = Status(route.name)
        self._workers = Workers(
            route.workers, route.shaper_maker(means.key), self._limits, lambda: self.status.snapshot().events
        )

    def run(self, stop: threading.Event) -> None:
        """Until `stop`, through every failure: what can't be done now is tried again. After `stop` it sends what the
        source has, for some seconds, unless the sink or the source fails.
        """
        give_back()
        listener = Listener(self._means.database, lambda _: self._wake.set()).start()
        try:
            through_failures(
                lambda: self._attend(stop), stop, lambda: self.status.snapshot().position, self._has_failed
            )
        finally:
            listener.stop()
            self._workers.close()
            self.status.note(state="stopped")

    def _attend(self, stop: threading.Event) -> None:
        """One life of the connections: open them at the place to go on from, and follow."""
        with opened(self._route, self._means, self._wake, migrate=not self._migrated) as route:
            if route is None:
                self.status.note(state="waiting")
                stop.wait(LOCK_SECONDS)
                return
            log.info("forwarding", sink=self.name)
            self._migrated = True
            self.status.note(state="forwarding", position=route.position, last_error=None)
            note_dead = partial(dead_letters.note, route.connection, self._route.consumer)
            flow = Flow(self._limits, note_dead, partial(self._look, route))
            intake, buffer = self._intake(route.source), Buffer(self._means.room(self._route))
            Pipeline(route.source, intake, route.sinks, flow, buffer, self.status).run(stop)

    def _look(self, route: Open) -> bool:
        """Whether it should be opened anew."""
        if route.over():
            return True
        self._second_chance.go_on(route.connection)
        return False

    def _intake(self, source: Source) -> Intake:
        if self._workers.number:
            return CatchingUpIntake(source, self._shaper, self._workers)
        return PlainIntake(source, self._shaper)

    def _has_failed(self, error: Exception, seconds: float) -> None:
        if isinstance(error, ClickHouseRefused) and error.code in WITHOUT_TABLES:
            self._migrated = False
        self._workers.note_failure()
        self.status.failed(error)
        text = self.status.snapshot().last_error
        log.warning("forwarding failed, will be tried again", sink=self.name, error=text, seconds=seconds)
