"""Copies of all projections as they were at a position of the log, each in a schema of its own.

A connection whose search path is `copy_<name>, log, public` sees the tables as they then were.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg import Connection, Cursor, sql
from psycopg.rows import DictRow

from domain.errors import Conflict, Invalid, NotFound
from projections.projection import Projection, ProjectionSet
from projections.rebuild import SHADOW, EventLog, Progress, create_tables, drop_unfinished, fold

NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")
UNFINISHED = f"{SHADOW}copy"
"""The schema in which a copy is made. What is left of one whose making was killed goes with unfinished rebuilds."""

IN_USE = 0x436F7079  # "Copy"
"""First key of the advisory locks that keep copies from being removed; the second is a hash of the name."""

HOLD = "SELECT pg_advisory_lock_shared(%s, hashtext(%s))"
CLAIM = "SELECT pg_try_advisory_xact_lock(%s, hashtext(%s)) AS free"


@dataclass(frozen=True, slots=True)
class Copy:
    """`time`: of the last event in it, None when there is none. `versions`: projection → its version."""

    name: str
    position: int
    time: datetime | None
    made_at: datetime
    versions: dict[str, int]


def schema_of(name: str) -> str:
    """The schema of a copy. Raises Invalid for a name that can't be one."""
    if not NAME.fullmatch(name):
        raise Invalid({"name": [f"{name!r}: use up to 41 small letters, digits and underscores, a letter first"]})
    return f"copy_{name}"


def search_path(name: str) -> str:
    """Where connections find the tables of a copy by their bare names. Raises Invalid."""
    return f"{schema_of(name)}, log, public"


def position_at(connection: Connection[DictRow], time: datetime) -> int:
    """The last position up to which no event is later than `time`: 0 before the first. A save is never split, since its
    events have one time.
    """
    row = connection.execute("SELECT min(position) - 1 AS position FROM log.events WHERE time > %s", (time,)).fetchone()
    if row is None or row["position"] is None:
        row = connection.execute("SELECT coalesce(max(position), 0) AS position FROM log.events").fetchone()
    return int(row["position"]) if row else 0


def make(
    connection: Connection[DictRow],
    log: EventLog,
    projections: Sequence[Projection],
    name: str,
    position: int,
    progress: Progress | None = None,
    reading: Connection[DictRow] | None = None,
    *,
    replace: bool = False,
) -> Copy:
    """Folds the log up to and including a position into a copy. Nothing of it is visible before it is whole; the
    service goes on. The caller keeps others from rebuilding meanwhile. `reading`: a second connection, which makes it
    faster. Raises Invalid for a bad name or position, Conflict for a name that is taken or, with `replace`, in use.
    """
    schema = schema_of(name)
    head = log.head(connection)
    if not 0 <= position <= head:
        raise Invalid({"until": [f"Position {position:,} is not in the log, which ends at {head:,}"]})
    _check_free(connection, name, replace=replace)
    drop_unfinished(connection)
    try:
        with connection.cursor() as cursor:
            create_tables(cursor, UNFINISHED, projections)
        fold(connection, log, ProjectionSet(projections), 0, position, progress, reading=reading)
        with connection.transaction(), connection.cursor() as cursor:
            if replace:
                _remove(cursor, name)
            rename = sql.SQL("ALTER SCHEMA {} RENAME TO {}")
            cursor.execute(rename.format(sql.Identifier(UNFINISHED), sql.Identifier(schema)))
            return _register(cursor, name, position, projections)
    except BaseException:  # whoever stops it with Ctrl-C too
        if not connection.closed:
            drop_unfinished(connection)
        raise


def listed(connection: Connection[DictRow]) -> list[Copy]:
    """All copies, by name."""
    return [_copy(row) for row in connection.execute("SELECT * FROM log.copies ORDER BY name")]


def drop(connection: Connection[DictRow], name: str) -> None:
    """Raises NotFound, and Conflict while the copy is served."""
    with connection.transaction(), connection.cursor() as cursor:
        if not _remove(cursor, name):
            raise _unknown(name)


def hold(connection: Connection[DictRow], name: str, projections: Sequence[Projection]) -> Copy:
    """A copy to read from, which nobody removes as long as the connection lives. Raises NotFound, and Conflict for one
    that was made with other versions of the projections.
    """
    connection.execute(HOLD, (IN_USE, name))
    row = connection.execute("SELECT * FROM log.copies WHERE name = %s", (name,)).fetchone()
    if row is None:
        raise _unknown(name)
    copy = _copy(row)
    if copy.versions != _versions(projections):
        again = f"annals replay --until {copy.position} --into {name} --replace"
        raise Conflict(f"The copy {name} was made by another version of Annals: `{again}` makes it anew")
    return copy


def _check_free(connection: Connection[DictRow], name: str, *, replace: bool) -> None:
    """Before the work begins; the transaction that ends it has the last word."""
    with connection.transaction(), connection.cursor() as cursor:
        if replace:
            _claim(cursor, name)
        elif cursor.execute("SELECT 1 FROM log.copies WHERE name = %s", (name,)).fetchone():
            raise Conflict(f"There is a copy {name} already: --replace makes it anew")


def _remove(cursor: Cursor[DictRow], name: str) -> bool:
    """False when there was none."""
    _claim(cursor, name)
    cursor.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(sql.Identifier(schema_of(name))))
    return cursor.execute("DELETE FROM log.copies WHERE name = %s", (name,)).rowcount > 0


def _claim(cursor: Cursor[DictRow], name: str) -> None:
    """Nobody serves the copy until the transaction ends. Raises Conflict when somebody does."""
    row = cursor.execute(CLAIM, (IN_USE, name)).fetchone()
    if row is None or not row["free"]:
        raise Conflict(f"The copy {name} is being served: stop that first")


def _register(cursor: Cursor[DictRow], name: str, position: int, projections: Sequence[Projection]) -> Copy:
    row = cursor.execute(
        "INSERT INTO log.copies (name, position, time, versions)"
        " VALUES (%(name)s, %(position)s, (SELECT time FROM log.events WHERE position = %(position)s), %(versions)s)"
        " RETURNING *",
        {"name": name, "position": position, "versions": json.dumps(_versions(projections))},
    ).fetchone()
    assert row is not None
    return _copy(row)


def _versions(projections: Sequence[Projection]) -> dict[str, int]:
    return {projection.name: projection.version for projection in projections}


def _copy(row: dict[str, Any]) -> Copy:
    return Copy(**row)


def _unknown(name: str) -> NotFound:
    return NotFound(f"There is no copy {name}: `annals copies` lists them")
