"""The reconciler: compares ClickHouse with the log all the time, beside the forwarder, and says what it found."""

from __future__ import annotations

import threading
import time
from contextlib import closing
from dataclasses import asdict

import structlog
from psycopg import Connection
from psycopg.rows import DictRow

from consumers.forwarder.checkpoint import Checkpoint
from consumers.forwarder.means import Means, expected
from consumers.forwarder.mending.rebuild import sweep
from consumers.forwarder.mending.repair import repair
from consumers.forwarder.proof.check import Reconciliation, compare
from consumers.forwarder.sinks.clickhouse import ClickHouseSink
from consumers.forwarder.topology import ClickHouseConfig, Route
from consumers.lock import FollowerLock
from infra.clock import utc_now
from infra.metrics import reconciliation as metrics
from infra.postgres import verifications

WHOLE_SECONDS = 3_600.0
"""Between two comparisons of everything; those in between go on where the last one ended."""

log = structlog.get_logger(__name__)


class Reconciler:
    """Of one route to a ClickHouse. One at a time works, whoever of several comes first."""

    def __init__(self, route: Route, means: Means, seconds: float) -> None:
        """`seconds`: between two comparisons."""
        assert isinstance(route.sink, ClickHouseConfig)
        self._route, self._means, self._seconds = route, means, seconds
        self._url = route.sink.url or means.clickhouse_url
        self._compared = 0
        self._whole_at = 0.0
        self._wrong: int | None = None
        self._metrics = [
            gauge.labels(route.name) for gauge in (metrics.WRONG_POSITIONS, metrics.POSITION, metrics.TIMESTAMP)
        ]

    def run(self, stop: threading.Event) -> None:
        """Until `stop`. What fails is tried again the next time."""
        while not stop.wait(self._seconds):
            try:
                self.look()
            except Exception as error:
                log.warning("comparing failed", sink=self._route.name, error=str(error))

    def look(self) -> Reconciliation | None:
        """Compares once; None while another one does, or somebody repairs. What is wrong twice in a row is sent anew:
        what was acknowledged, nobody is sending.
        """
        with closing(self._means.database.connect()) as connection:
            lock = FollowerLock(connection, self._route.mender)
            if not lock.take():
                return None
            with closing(ClickHouseSink(self._url, self._means.layout)) as sink:
                sweep(sink)
                found = self._compare(connection, sink)
                if found.first_wrong is not None and found.first_wrong == self._wrong:
                    self._repair(connection, sink, found.until)
                    found = self._compare(connection, sink, found.until)
            lock.release()
        self._wrong = found.first_wrong
        return found

    def _compare(
        self, connection: Connection[DictRow], sink: ClickHouseSink, until: int | None = None
    ) -> Reconciliation:
        started = utc_now()
        if until is None:  # nothing up to there is on its way: of what comes by Kafka, the bookkeeper notes it
            until = Checkpoint(connection, self._route.consumer).acknowledged()
        whole = self._wrong is not None or until < self._compared or time.monotonic() > self._whole_at + WHOLE_SECONDS
        after = 0 if whole else self._compared
        wanted = expected(connection, sink.client, self._route, self._means.layout, after)
        found = compare(connection, sink.client, self._means.layout, wanted, until, after)
        if found.equal:
            self._compared, self._whole_at = until, time.monotonic() if whole else self._whole_at
        else:
            self._compared = 0
            log.error("ClickHouse differs from the log", sink=self._route.name, difference=found.difference)
        finding = {"subject": self._route.name, **asdict(found)}
        verifications.remember(self._means.database, started, until, [finding], scope=self._route.name)
        self._note(found)
        return found

    def _repair(self, connection: Connection[DictRow], sink: ClickHouseSink, until: int) -> None:
        shaper = self._route.shaper(self._means.key)
        wanted = expected(connection, sink.client, self._route, self._means.layout)
        events = repair(connection, sink, self._route.consumer, shaper, wanted, until)
        log.warning("ClickHouse was put right from the log", sink=self._route.name, events=events)

    def _note(self, found: Reconciliation) -> None:
        wrong = found.beyond + (0 if found.first_wrong is None else max(1, found.missing + found.doubled))
        for gauge, value in zip(self._metrics, (wrong, found.until, time.time()), strict=True):
            gauge.set(value)
