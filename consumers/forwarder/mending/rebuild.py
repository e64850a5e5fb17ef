"""Rebuilding the tables in ClickHouse from the log: into fresh ones beside the old, which take their place when they
are complete. The forwarders go on meanwhile, but for the moment of the exchange.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass

import structlog
from psycopg import Connection
from psycopg.rows import DictRow

from consumers.forwarder import dead_letters
from consumers.forwarder.checkpoint import Checkpoint
from consumers.forwarder.dead_letters import DeadLetter
from consumers.forwarder.means import Means
from consumers.forwarder.mending.by_hand import settle
from consumers.forwarder.mending.unfinished import Unfinished
from consumers.forwarder.rows import Shaper
from consumers.forwarder.sending import send
from consumers.forwarder.sinks.clickhouse import ClickHouseSink
from consumers.forwarder.topology import ClickHouseConfig, LogConfig, Route, Wrong
from consumers.lock import FollowerLock
from infra.clickhouse import schema
from infra.clickhouse.client import typed_errors
from infra.eventlog.reader import LogReader

NEAR = 5_000
"""With so few events left to send, the forwarders are asked to wait."""

Progressed = Callable[[int, int], object]

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Rebuilt:
    """`events`: how many the tables hold now. `dead`: of these, how many could not be passed on."""

    events: int
    dead: int


def rebuild(route: Route, means: Means, progress: Progressed) -> Rebuilt:
    """Interrupted before the exchange, it leaves the old tables as they are. Raises Wrong for another kind of sink;
    Unavailable; ClickHouseRefused.
    """
    if not isinstance(route.sink, ClickHouseConfig):
        raise Wrong(f"{route.name} is no ClickHouse")
    url, fresh = route.sink.url or means.clickhouse_url, _beside(means.layout.database)
    with (
        closing(means.database.connect()) as connection,
        closing(ClickHouseSink(url, means.layout)) as old,
        closing(ClickHouseSink(url, means.layout.beside(fresh))) as new,
    ):
        FollowerLock(connection, route.mender).wait()
        old.migrate()
        _drop(new, fresh)
        new.migrate()
        filling = _Filling(connection, new, route.shaper(means.key), progress)
        while filling.left > NEAR:
            filling.go_on()
        lock = FollowerLock(connection, route.consumer)
        lock.wait()
        filling.go_on()
        _take_its_place(route, means, connection, old, fresh, filling)
        _drop(new, fresh)
    return Rebuilt(filling.position, len(filling.dead))


def sweep(sink: ClickHouseSink) -> None:
    """Removes what a rebuild that was killed has left: a part of the new tables, or the old ones, with everything that
    should go. By who has the mender: so none is at work. Raises Unavailable, ClickHouseRefused.
    """
    fresh = _beside(sink.layout.database)
    with typed_errors():
        found = sink.client.query("SELECT name FROM system.databases WHERE name = {name:String}", {"name": fresh})
    if found.result_rows:
        log.warning("a rebuild was interrupted: what it has left is removed", database=fresh)
        _drop(sink, fresh)


class _Filling:
    """The fresh tables, filled up to `position`."""

    def __init__(
        self, connection: Connection[DictRow], sink: ClickHouseSink, shaper: Shaper, progress: Progressed
    ) -> None:
        self._connection, self._sink, self._shaper, self._progress = connection, sink, shaper, progress
        self._label = f"rebuild:{time.time_ns()}"
        self.position = 0
        self.dead: list[DeadLetter] = []

    @property
    def left(self) -> int:
        return LogReader().head(self._connection) - self.position

    def go_on(self) -> None:
        """Up to the present end of the log."""
        head = LogReader().head(self._connection)
        self.dead += send(self._connection, self._sink, self._shaper, self.position, head, self._label, self._progress)
        self.position = head


def _take_its_place(
    route: Route, means: Means, connection: Connection[DictRow], old: ClickHouseSink, fresh: str, filling: _Filling
) -> None:
    """While nobody sends. Where the forwarders go on is set first: interrupted in between, events are missing in the
    old tables, which the next start finds and puts right; the other way round they would be there twice.
    """
    unfinished = Unfinished(connection, route.consumer)
    if isinstance(route.source, LogConfig):
        checkpoint = Checkpoint(connection, route.consumer)
        checkpoint.load()
        checkpoint.rewind(filling.position)
    else:
        unfinished.begin(filling.position)
        settle(connection, route, means, filling.position)
    schema.exchange(old.client, means.layout, fresh)
    unfinished.end()
    with connection.transaction():
        dead_letters.forget_all(connection, route.consumer)
        dead_letters.note(connection, route.consumer, filling.dead)


def _beside(database: str) -> str:
    return f"{database}_rebuild"


def _drop(sink: ClickHouseSink, database: str) -> None:
    with typed_errors():
        sink.client.command(f"DROP DATABASE IF EXISTS {database} {sink.layout.on_cluster} SYNC")
