"""Folding the log anew: into the tables of a schema of its own, by the thousand events."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import Any, Protocol

from psycopg import Connection, Cursor, sql
from psycopg.errors import LockNotAvailable
from psycopg.rows import DictRow

from domain.errors import Unavailable
from domain.event import Event
from projections.projection import Projection, ProjectionSet

LAST_EVENTS = 200
"""At most so many events are folded while writers wait."""
ATTEMPTS = 500
LOCK_MILLISECONDS = 50
"""How long a swap waits for readers before it lets writers go on and tries again."""

SHADOW = "rebuild_"
"""How the names of the schemas begin in which rebuilds work."""

Progress = Callable[[int, int], None]
"""`progress(position, head)`, after each batch."""


class EventLog(Protocol):
    """What a rebuild reads."""

    def read(
        self, connection: Connection[DictRow], after: int, until: int, *, types: Sequence[str] | None = None
    ) -> Iterator[list[Event]]:
        """The events of `after` < position <= `until`, in order, in batches, as the connection sees them. `types`: only
        of these.
        """
        ...

    def head(self, connection: Connection[DictRow]) -> int:
        """The last position; 0 for an empty log."""
        ...


def create_tables(cursor: Cursor[DictRow], schema: str, projections: Sequence[Projection]) -> None:
    """A fresh schema with the projections' tables. The connection's search path then leads there."""
    name = sql.Identifier(schema)
    cursor.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(name))
    cursor.execute(sql.SQL("CREATE SCHEMA {}").format(name))
    search(cursor, schema)
    for projection in projections:
        projection.create_tables(cursor)


def search(cursor: Cursor[Any], *schemas: str) -> None:
    cursor.execute("SELECT set_config('search_path', %s, false)", (", ".join([*schemas, "log", "public"]),))


def fold(
    connection: Connection[DictRow],
    log: EventLog,
    projections: ProjectionSet,
    after: int,
    until: int,
    progress: Progress | None = None,
    types: Sequence[str] | None = None,
    reading: Connection[DictRow] | None = None,
) -> None:
    """Folds a range of the log into the tables that the connection's search path leads to. `types`: only these events
    are looked at. `reading`: another connection, on which the next batch is read while one is written.
    """
    with _collector_off(), connection.cursor() as cursor:
        batches = log.read(reading or connection, after, until, types=types)
        for events in batches if reading is None else _ahead(batches):
            projections.apply(cursor, events)
            if progress is not None:
                progress(events[-1].position, until)
    if progress is not None:
        progress(until, until)


def _ahead(batches: Iterator[list[Event]]) -> Iterator[list[Event]]:
    """The same; the next one is made in a thread meanwhile."""
    with ThreadPoolExecutor(1, thread_name_prefix="read-ahead") as pool:
        coming = pool.submit(next, batches, None)
        while (batch := coming.result()) is not None:
            coming = pool.submit(next, batches, None)
            yield batch


@contextmanager
def _collector_off() -> Iterator[None]:
    """Events are trees of plain data, which reference counting frees. The cycle collector would look through them again
    and again while they are read, and take more time than the reading.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def rebuild(
    connection: Connection[DictRow],
    log: EventLog,
    projections: Sequence[Projection],
    lock_appends: Callable[[Cursor[DictRow]], object],
    progress: Progress | None = None,
    reading: Connection[DictRow] | None = None,
) -> int:
    """Builds projections beside the live ones and swaps them in; returns the position they are built to.

    The bulk is folded while the service writes on; only the last few events and the swap hold the append lock. Until
    the swap commits nothing of it is visible; a rebuild that is stopped leaves the live tables as they were. The
    caller keeps others from rebuilding meanwhile. `reading`: a second connection, which makes it faster.
    """
    drop_unfinished(connection)
    try:
        return _build(connection, log, projections, lock_appends, progress, reading)
    except BaseException:  # whoever stops it with Ctrl-C too
        if not connection.closed:
            drop_unfinished(connection)
        raise


def drop_unfinished(connection: Connection[DictRow]) -> None:
    """Drops what rebuilds have left that were killed. Only for one who keeps others from rebuilding."""
    rows = connection.execute("SELECT nspname FROM pg_namespace WHERE starts_with(nspname, %s)", (SHADOW,)).fetchall()
    for row in rows:
        connection.execute(sql.SQL("DROP SCHEMA {} CASCADE").format(sql.Identifier(row["nspname"])))


def _build(
    connection: Connection[DictRow],
    log: EventLog,
    projections: Sequence[Projection],
    lock_appends: Callable[[Cursor[DictRow]], object],
    progress: Progress | None,
    reading: Connection[DictRow] | None,
) -> int:
    together = ProjectionSet(projections)
    types = together.event_types
    with connection.cursor() as cursor:
        for projection in projections:
            create_tables(cursor, shadow(projection), [projection])
        search(cursor, *(shadow(projection) for projection in projections))
    done = 0
    for _ in range(ATTEMPTS):
        while (head := log.head(connection)) - done > LAST_EVENTS or done == 0 < head:
            fold(connection, log, together, done, head, progress, types, reading)
            done = head
        with suppress(LockNotAvailable), connection.transaction(), connection.cursor() as cursor:
            lock_appends(cursor)
            head = log.head(connection)
            if head - done > LAST_EVENTS:  # appended while we waited for the lock
                continue
            fold(connection, log, together, done, head, progress, types)
            _lock_tables(cursor, projections)
            for projection in projections:
                _swap(cursor, projection, head)
            return head
    raise Unavailable("The tables are being read all the time: they could not be swapped; try again")


def shadow(projection: Projection) -> str:
    """The schema in which a projection is built."""
    return f"{SHADOW}{projection.name}_v{projection.version}"


def _lock_tables(cursor: Cursor[DictRow], projections: Sequence[Projection]) -> None:
    """Nobody reads the live tables until the transaction ends. Raises LockNotAvailable when that takes long.

    Without the time limit a reader that has one table and waits for another that is locked here would be in a deadlock
    with us, and PostgreSQL would cancel one of the two after a second; and one long read would stop all writers. The
    tables that readers take first come first (the last in the registry): who waits for those has none of the others.
    """
    cursor.execute(f"SET LOCAL lock_timeout = {LOCK_MILLISECONDS}")
    rows = cursor.execute(
        "SELECT c.relnamespace::regnamespace::text AS schema, c.relname AS name, c.relkind = 'v' AS is_view"
        " FROM pg_class c WHERE c.relkind IN ('r', 'v') AND c.relnamespace::regnamespace::text = ANY(%s)",
        ([projection.schema for projection in projections],),
    ).fetchall()
    order = {(one.schema, table.name): n for n, one in enumerate(projections) for table in one.tables}
    # Who reads by way of a view has that first, and then its tables.
    rows.sort(key=lambda row: (not row["is_view"], -order.get((row["schema"], row["name"]), 0)))
    for row in rows:
        name = sql.Identifier(row["schema"], row["name"])
        cursor.execute(sql.SQL("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE").format(name))
    cursor.execute("SET LOCAL lock_timeout = 0")


def _swap(cursor: Cursor[DictRow], projection: Projection, head: int) -> None:
    live, fresh = sql.Identifier(projection.schema), sql.Identifier(shadow(projection))
    cursor.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(live))
    cursor.execute(sql.SQL("ALTER SCHEMA {} RENAME TO {}").format(fresh, live))
    cursor.execute(
        "INSERT INTO log.projections AS p (name, version, position, folded) VALUES (%s, %s, %s, %s)"
        " ON CONFLICT (name, version) DO UPDATE SET position = excluded.position, built_at = now(),"
        " folded = CASE WHEN p.folded IS NOT NULL THEN excluded.folded END",
        (projection.name, projection.version, head, head),
    )


def outdated(connection: Connection[DictRow], projections: Sequence[Projection]) -> list[Projection]:
    """The projections that are not built in their present version."""
    rows = connection.execute("SELECT name, version FROM log.projections")
    built = {(row["name"], row["version"]) for row in rows}
    return [projection for projection in projections if (projection.name, projection.version) not in built]
