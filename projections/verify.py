"""Proof that nothing has drifted: the live tables against a fresh fold of the log, the log against itself, the blobs.

Everything is read in one snapshot and nothing is kept, so it is right, and harmless, while the service writes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from psycopg import Connection, Cursor, IsolationLevel
from psycopg.rows import DictRow

from domain.event import Event
from domain.events.task import TaskPurged
from projections.blob_check import BlobCheck, Blobs
from projections.changes import Table
from projections.comparison import compare
from projections.finding import Finding, first_line
from projections.projection import Projection, ProjectionSet
from projections.rebuild import EventLog, Progress, fold, outdated

SCRATCH = "pg_temp"
"""Tables of the connection's own, which PostgreSQL neither logs nor shows to anybody."""


@dataclass(frozen=True)
class Report:
    """`head`: the position up to which the log was looked at."""

    head: int
    findings: list[Finding]


def verify(
    connection: Connection[DictRow],
    log: EventLog,
    projections: Sequence[Projection],
    blobs: Blobs,
    *,
    hash_blobs: bool = False,
    progress: Progress | None = None,
) -> Report:
    """Compares everything; what is wrong is told, not raised. The connection is in autocommit mode before and after."""
    with snapshot(connection):
        check = BlobCheck(blobs, purged_tasks(connection), hash_blobs=hash_blobs)
        head = log.head(connection)
        findings = [_positions(connection, head), _streams(connection)]
        refolded = _fold(connection, _Watched(log, check.look), projections, head, progress)
        if refolded.equal:
            stale = {projection.name for projection in outdated(connection, projections)}
            findings += [_compare(connection, p, table, stale) for p in projections for table in p.tables]
        else:
            findings.append(refolded)
    return Report(head, [*findings, check.finding()])


@contextmanager
def snapshot(connection: Connection[DictRow]) -> Iterator[None]:
    """One snapshot for log and tables: at a lower isolation level each statement would see its own, and a table would
    be compared with a log that has moved on.
    """
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    try:
        with connection.transaction(force_rollback=True):
            yield
    finally:
        connection.isolation_level = None


def _positions(connection: Connection[DictRow], head: int) -> Finding:
    row = connection.execute("SELECT count(*) AS events, min(position) AS first FROM log.events").fetchone() or {}
    if row["events"] == head and row["first"] in (1, None):
        return Finding("positions", f"1 to {head:,}" if head else "none yet")
    gap = connection.execute(
        "SELECT previous FROM ("
        "SELECT position, lag(position, 1, 0::bigint) OVER (ORDER BY position) AS previous FROM log.events"
        ") e WHERE position <> previous + 1 ORDER BY position LIMIT 1"
    ).fetchone() or {"previous": 0}
    return Finding("positions", f"1 to {head:,}", f"the log has no position {gap['previous'] + 1:,}")


def _streams(connection: Connection[DictRow]) -> Finding:
    """Versions run from 1 without a gap, and in the order of positions."""
    row = connection.execute(
        "SELECT stream, version, previous, position, previous_position FROM ("
        "SELECT stream, version, position, lag(version, 1, 0::bigint) OVER w AS previous,"
        " lag(position, 1, 0::bigint) OVER w AS previous_position"
        " FROM log.events WINDOW w AS (PARTITION BY stream ORDER BY version)"
        ") e WHERE version <> previous + 1 OR position <= previous_position ORDER BY position LIMIT 1"
    ).fetchone()
    count = connection.execute("SELECT count(DISTINCT stream) AS streams FROM log.events").fetchone() or {"streams": 0}
    measure = f"{count['streams']:,} streams"
    if row is None:
        return Finding("streams", measure)
    if row["version"] == row["previous"] + 1:
        return Finding("streams", measure, f"{row['stream']}@{row['version']} has a lower position than the one before")
    return Finding("streams", measure, f"{row['stream']} has no version {row['previous'] + 1}")


def _fold(
    connection: Connection[DictRow],
    log: EventLog,
    projections: Sequence[Projection],
    head: int,
    progress: Progress | None,
) -> Finding:
    """Folds the log into the scratch tables."""
    subject, reached = "log", 0

    def follow(position: int, until: int) -> None:
        nonlocal reached
        reached = position
        if progress is not None:
            progress(position, until)

    try:
        with connection.transaction(), connection.cursor() as cursor:
            scratch_tables(cursor, projections)
            fold(connection, log, ProjectionSet(projections), 0, head, follow)
    except Exception as error:  # whatever an event that is damaged leads to
        return Finding(subject, f"{head:,} events", f"can't be folded behind position {reached:,}: {first_line(error)}")
    return Finding(subject, f"{head:,} events")


def scratch_tables(cursor: Cursor[DictRow], projections: Sequence[Projection]) -> None:
    """Empty tables of the connection's own, to which its search path leads until the transaction ends."""
    cursor.execute("SELECT set_config('search_path', %s, true)", (f"{SCRATCH}, log, public",))
    for projection in projections:
        projection.create_tables(cursor)


def _compare(connection: Connection[DictRow], projection: Projection, table: Table, stale: set[str]) -> Finding:
    if projection.name in stale:
        return stale_finding(projection, table)
    return compare(connection, table, projection.schema, SCRATCH)


def stale_finding(projection: Projection, table: Table) -> Finding:
    why = f"is not built in its present version: `annals replay {projection.name}`"
    return Finding(f"table {table.name}", "", why)


def purged_tasks(connection: Connection[DictRow]) -> set[int]:
    """The tasks whose data was purged."""
    statement = "SELECT task_id FROM log.events WHERE type = %s"
    return {row["task_id"] for row in connection.execute(statement, (TaskPurged.type_name,))}


class _Watched:
    """A log, with each batch shown to somebody on its way."""

    def __init__(self, log: EventLog, look: Callable[[Sequence[Event]], object]) -> None:
        self._log, self._look = log, look

    def read(
        self, connection: Connection[DictRow], after: int, until: int, *, types: Sequence[str] | None = None
    ) -> Iterator[list[Event]]:
        for events in self._log.read(connection, after, until, types=types):
            self._look(events)
            yield events

    def head(self, connection: Connection[DictRow]) -> int:
        return self._log.head(connection)
