"""Proof that nothing has drifted: the live tables against a fresh fold of the log, the log against itself, the blobs.

Everything is read in one snapshot and nothing is kept, so it is right, and harmless, while the service writes on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, LiteralString, Protocol, cast

import psycopg
from psycopg import Connection, IsolationLevel, sql
from psycopg.rows import DictRow

from domain.errors import AnnalsError
from domain.event import Event, body_types
from domain.events.data import FilesReceived, FramesAdded
from projections.changes import Table
from projections.projection import Projection, ProjectionSet
from projections.rebuild import EventLog, Progress, fold, outdated

SCRATCH = "pg_temp"
"""Tables of the connection's own, which PostgreSQL neither logs nor shows to anybody."""
LIVE = "read"
HIDDEN = "(hidden)"


class Blobs(Protocol):
    """Where uploaded bytes are kept; both raise AnnalsError for what is not there."""

    def size(self, sha256: str) -> int: ...

    def verify(self, sha256: str) -> bool:
        """Whether the content has this hash. Reads all of it."""
        ...


@dataclass(frozen=True)
class Finding:
    """One thing that was proved or refuted. `difference`: the first one, in words; None when there is none."""

    subject: str
    measure: str
    difference: str | None = None

    @property
    def equal(self) -> bool:
        return self.difference is None


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
    check = BlobCheck(blobs, hash_blobs=hash_blobs)
    with _snapshot(connection):
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
def _snapshot(connection: Connection[DictRow]) -> Iterator[None]:
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
            cursor.execute("SELECT set_config('search_path', %s, true)", (f"{SCRATCH}, log, public",))
            for projection in projections:
                projection.create_tables(cursor)
            fold(connection, log, ProjectionSet(projections), 0, head, follow)
    except Exception as error:  # whatever an event that is damaged leads to
        return Finding(
            subject, f"{head:,} events", f"can't be folded behind position {reached:,}: {_first_line(error)}"
        )
    return Finding(subject, f"{head:,} events")


def _compare(connection: Connection[DictRow], projection: Projection, table: Table, stale: set[str]) -> Finding:
    subject = f"table {table.name}"
    if projection.name in stale:
        return Finding(subject, "", f"is not built in its present version: `annals replay {projection.name}`")
    try:
        with connection.transaction():
            live, fresh = _digest(connection, LIVE, table), _digest(connection, SCRATCH, table)
            measure = f"{live['rows']:,} row{'' if live['rows'] == 1 else 's'}"
            if live == fresh:
                return Finding(subject, measure)
            return Finding(subject, measure, _first_difference(connection, table) or "its rows differ")
    except psycopg.Error as error:
        return Finding(subject, "", f"can't be read: {_first_line(error)}")


def _digest(connection: Connection[DictRow], schema: LiteralString, table: Table) -> DictRow:
    """Count and hash of the rows. Adding up the hashes makes the order irrelevant, and a double row show."""
    statement = sql.SQL(
        "SELECT count(*) AS rows, coalesce(sum(hashtextextended(t::text, 0)), 0) AS hash FROM {} t"
    ).format(sql.Identifier(schema, table.name))
    return cast(DictRow, connection.execute(statement).fetchone())


def _first_difference(connection: Connection[DictRow], table: Table) -> str | None:
    """In the order of the key."""
    keys = [sql.Identifier(name) for name in table.key]
    statement = sql.SQL(
        "SELECT to_json(l) AS live, to_json(f) AS fresh FROM {live} l FULL JOIN {fresh} f USING ({key})"
        " WHERE l::text IS DISTINCT FROM f::text ORDER BY {key} LIMIT 1"
    ).format(
        live=sql.Identifier(LIVE, table.name),
        fresh=sql.Identifier(SCRATCH, table.name),
        key=sql.SQL(", ").join(keys),
    )
    row = connection.execute(statement).fetchone()
    return None if row is None else _difference(table, row["live"], row["fresh"])


def _difference(table: Table, live: dict[str, Any] | None, fresh: dict[str, Any] | None) -> str:
    row = live if live is not None else fresh or {}
    where = ", ".join(f"{name} {row[name]}" for name in table.key)
    if fresh is None:
        return f"{where} is in the table, but not in the log: {_shown(row)}"
    if live is None:
        return f"{where} is missing: {_shown(row)}"
    names = [name for name in row if live.get(name) != fresh.get(name)]
    parts = [f"{name} is {_value(name, live[name])}, by the log {_value(name, fresh.get(name))}" for name in names]
    return f"{where}: {'; '.join(parts) or 'the same values are written in another way'}"


def _shown(row: dict[str, Any]) -> str:
    return ", ".join(f"{name} {_value(name, value)}" for name, value in row.items())


def _value(name: str, value: Any) -> str:
    secret = any(name in body_type.secret_fields for body_type in body_types().values())
    return HIDDEN if secret else repr(value)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0]


class _Watched:
    """A log, with each batch shown to somebody on its way."""

    def __init__(self, log: EventLog, look: Callable[[Sequence[Event]], object]) -> None:
        self._log, self._look = log, look

    def read(self, connection: Connection[DictRow], after: int, until: int) -> Iterator[list[Event]]:
        for events in self._log.read(connection, after, until):
            self._look(events)
            yield events

    def head(self, connection: Connection[DictRow]) -> int:
        return self._log.head(connection)


class BlobCheck:
    """Whether the blobs that events name are there, each looked at once."""

    def __init__(self, blobs: Blobs, *, hash_blobs: bool) -> None:
        self._blobs = blobs
        self._hash_blobs = hash_blobs
        self._seen: set[tuple[bytes, int]] = set()
        self._difference: str | None = None

    def look(self, events: Iterable[Event]) -> None:
        for event in events:
            body = event.body
            if isinstance(body, FilesReceived):
                self._look_at(event, [(file["name"], file["sha256"], file["size"]) for file in body.files])
            elif isinstance(body, FramesAdded):
                self._look_at(event, [(frame["name"], frame["sha256"], frame["size"]) for frame in body.frames])

    def finding(self) -> Finding:
        how = "sizes and hashes" if self._hash_blobs else "sizes"
        return Finding("blobs", f"{len(self._seen):,} ({how})", self._difference)

    def _look_at(self, event: Event, files: list[tuple[str, str, int]]) -> None:
        for name, sha256, size in files:
            key = (bytes.fromhex(sha256), size)
            if key not in self._seen:
                self._seen.add(key)
                trouble = self._trouble(sha256, size)
                if trouble and self._difference is None:
                    self._difference = f"“{name}” of {event.id}, blob {sha256}: {trouble}"

    def _trouble(self, sha256: str, size: int) -> str | None:
        try:
            found = self._blobs.size(sha256)
            if found != size:
                return f"has {found:,} bytes instead of {size:,}"
            if self._hash_blobs and not self._blobs.verify(sha256):
                return "has another content"
        except (AnnalsError, OSError) as error:
            return str(error)
        return None
