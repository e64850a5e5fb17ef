"""Programs with different projection versions side by side, as when a new one is rolled out.

Each version has tables of its own. An append folds those that its program knows and says how far they are; whoever
finds his own behind, because another program appended, folds what is missing first. As soon as only one program is
left, the others' tables are dropped and nobody has to say anything.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from itertools import groupby
from typing import Any

from psycopg import Connection, Cursor, sql
from psycopg.rows import DictRow

from domain.errors import Unavailable
from projections.projection import Projection, ProjectionSet
from projections.rebuild import LAST_EVENTS, EventLog, fold

STEP = 5_000
"""Events that are folded in one transaction, as long as many are missing."""

LockAppends = Callable[[Cursor[DictRow]], object]
ALL = "SELECT name || '@' || version AS key, name, version, folded FROM log.projections"


def program_id(projections: Sequence[Projection]) -> int:
    """The number of a program that folds these versions; what its lock is on."""
    digest = hashlib.sha256(" ".join(sorted(one.key for one in projections)).encode()).digest()
    return int.from_bytes(digest[:8], "big", signed=True)


def hold(connection: Connection[Any], projections: Sequence[Projection]) -> None:
    """As long as the connection lives, the tables of this program stay."""
    connection.execute("SELECT pg_advisory_lock_shared(%s)", (program_id(projections),))


def register(connection: Connection[DictRow], projections: Sequence[Projection], lock_appends: LockAppends) -> None:
    """From now on a program that folds these versions may append. If it is not the only one, everybody says how far
    each version is folded.
    """
    own = program_id(projections)
    with connection.transaction(), connection.cursor() as cursor:
        lock_appends(cursor)
        keys = sorted(one.key for one in projections)
        cursor.execute(
            "INSERT INTO log.programs (id, versions) VALUES (%s, %s) ON CONFLICT (id) DO NOTHING", (own, keys)
        )
        others = cursor.execute("SELECT 1 FROM log.programs WHERE id <> %s LIMIT 1", (own,)).fetchone()
        if others:
            cursor.execute(
                "UPDATE log.projections SET folded = (SELECT coalesce(max(position), 0) FROM log.events)"
                " WHERE folded IS NULL"
            )


def settle(connection: Connection[DictRow], projections: Sequence[Projection], lock_appends: LockAppends) -> list[str]:
    """Forgets the programs that do not run any more and drops the tables that only they used; returns whose. As soon as
    one program is left, its versions need no positions.
    """
    own = program_id(projections)
    with connection.transaction(), connection.cursor() as cursor:
        lock_appends(cursor)
        others = cursor.execute("SELECT id FROM log.programs WHERE id <> %s", (own,)).fetchall()
        for other in others:
            found = cursor.execute("SELECT pg_try_advisory_xact_lock(%s) AS dead", (other["id"],)).fetchone()
            if found and found["dead"]:
                cursor.execute("DELETE FROM log.programs WHERE id = %s", (other["id"],))
        dropped = _drop_unused(cursor)
        cursor.execute(
            "UPDATE log.projections SET folded = NULL WHERE NOT EXISTS (SELECT FROM log.programs WHERE id <> %s)"
            " AND NOT EXISTS (SELECT FROM log.projections p"
            "   WHERE p.folded < (SELECT coalesce(max(position), 0) FROM log.events))",
            (own,),
        )
    return dropped


def _drop_unused(cursor: Cursor[DictRow]) -> list[str]:
    rows = cursor.execute(
        f"{ALL} p WHERE NOT EXISTS (SELECT FROM log.programs g WHERE p.name || '@' || p.version = ANY (g.versions))"
    ).fetchall()
    for row in rows:
        schema = sql.Identifier(f"read_{row['name']}_v{row['version']}")
        cursor.execute(sql.SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(schema))
        cursor.execute("DELETE FROM log.projections WHERE name = %s AND version = %s", (row["name"], row["version"]))
    return [row["key"] for row in rows]


def catch_up(
    connection: Connection[DictRow], log: EventLog, projections: Sequence[Projection], lock_appends: LockAppends
) -> None:
    """Folds what programs with other versions have appended. The connection's search path leads to the tables. Raises
    Unavailable when an event or the absence of tables shows that this program is out of date.
    """
    while True:
        with connection.transaction(), connection.cursor() as cursor:
            head, behind = _behind(cursor, log, projections)
            if not behind:
                return
            furthest = min(position for _, position in behind)
            if head - furthest <= LAST_EVENTS:
                break
            _fold(cursor, log, behind, min(furthest + STEP, head))
    with connection.transaction(), connection.cursor() as cursor:
        lock_appends(cursor)
        head, behind = _behind(cursor, log, projections)
        _fold(cursor, log, behind, head)


Behind = list[tuple[Projection, int]]


def _behind(cursor: Cursor[DictRow], log: EventLog, projections: Sequence[Projection]) -> tuple[int, Behind]:
    """The last position, and those versions that are not folded up to it. Nobody else folds until the transaction ends.

    The table is locked, not its rows: two who lock several rows may each wait for the other.
    """
    cursor.execute("LOCK TABLE log.projections IN SHARE ROW EXCLUSIVE MODE")
    rows = cursor.execute(ALL).fetchall()
    folded = {row["key"]: row["folded"] for row in rows}
    if missing := sorted(one.key for one in projections if one.key not in folded):
        raise Unavailable(f"{missing[0]} was taken away by another version of Annals: restart this process")
    head = log.head(cursor.connection)
    positions = ((one, folded[one.key]) for one in projections)
    return head, [(one, position) for one, position in positions if position is not None and position < head]


def _fold(cursor: Cursor[DictRow], log: EventLog, behind: Behind, until: int) -> None:
    for position, group in groupby(sorted(behind, key=_position), key=_position):
        if position < until:
            late = [projection for projection, _ in group]
            try:
                fold(cursor.connection, log, ProjectionSet(late), position, until)
            except LookupError as error:
                raise Unavailable(f"{error.args[0]} Restart this process with that version") from error
            cursor.execute(
                "UPDATE log.projections SET folded = %s WHERE name || '@' || version = ANY(%s)",
                (until, [one.key for one in late]),
            )


def _position(item: tuple[Projection, int]) -> int:
    return item[1]
