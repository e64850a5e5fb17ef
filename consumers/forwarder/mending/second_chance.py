"""What the program before could not read, or failed to shape, a newer one can: so the dead letters that a forwarder
finds when it begins are tried again, and an upgrade delivers by itself what came too early for some forwarder.

What a sink refused is for people: they know when that has been mended.
"""

from __future__ import annotations

import time
from contextlib import closing
from datetime import datetime

import structlog
from psycopg import Connection
from psycopg.rows import DictRow

from consumers.forwarder.checkpoint import Checkpoint
from consumers.forwarder.dead_letters import DeadLetter
from consumers.forwarder.means import Means
from consumers.forwarder.mending.resending import TOGETHER, send_again
from consumers.forwarder.sinks.of_route import sink_of
from consumers.forwarder.topology import ClickHouseConfig, FileConfig, LogConfig, Route
from consumers.lock import FollowerLock

STAGES = ["read", "transform"]
AFTER_FAILURE = 60.0
"""Seconds until it is tried again."""

OF_THE_PROGRAM = """
SELECT place, position, stage, error, noted_at FROM log.dead_letters
WHERE follower = %s AND stage = ANY(%s) AND position > %s AND noted_at < %s ORDER BY position LIMIT %s
"""

log = structlog.get_logger(__name__)


class SecondChance:
    """Of one forwarder, beside its work: some letters at each call, each letter once."""

    def __init__(self, route: Route, means: Means) -> None:
        self._route, self._means = route, means
        self._done = not _is_safe(route)
        self._began: datetime | None = None
        self._tried = 0
        self._not_before = 0.0

    def go_on(self, connection: Connection[DictRow]) -> None:
        """`connection`: the one with the forwarder's lock. Whatever fails, forwarding goes on."""
        if self._done or time.monotonic() < self._not_before:
            return
        try:
            self._go_on(connection)
        except Exception as error:
            self._not_before = time.monotonic() + AFTER_FAILURE
            log.warning("dead letters can't be tried again yet", sink=self._route.name, error=str(error))

    def _go_on(self, connection: Connection[DictRow]) -> None:
        found = self._letters(connection)
        # Behind that, Kafka may bring what a letter only says it is.
        acknowledged = Checkpoint(connection, self._route.consumer).acknowledged()
        letters = [letter for letter in found if (letter.position or 0) <= acknowledged]
        self._done = not found
        mender = FollowerLock(connection, self._route.mender)
        if not letters or not mender.take():
            return
        try:
            with closing(sink_of(self._route, self._means)) as sink:
                dead = send_again(connection, sink, self._route, self._means, letters)
        finally:
            mender.release()
        self._tried = letters[-1].position or 0
        if delivered := len(letters) - len(dead):
            log.info("dead letters were delivered", sink=self._route.name, number=delivered)

    def _letters(self, connection: Connection[DictRow]) -> list[DeadLetter]:
        if self._began is None:
            row = connection.execute("SELECT now() AS now").fetchone()
            self._began = row["now"] if row else None
        given = (self._route.consumer, STAGES, self._tried, self._began, TOGETHER)
        return [DeadLetter(**row) for row in connection.execute(OF_THE_PROGRAM, given)]


def _is_safe(route: Route) -> bool:
    """The position that an unreadable message of Kafka says it has may be that of another event, which an archive has
    already: unlike ClickHouse, it can't be asked. The standard output may be read by nobody just now.
    """
    from_log = isinstance(route.source, LogConfig)
    return isinstance(route.sink, ClickHouseConfig) or (from_log and isinstance(route.sink, FileConfig))
