"""From the log into a file, in one snapshot and with constant memory, while the service writes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, BinaryIO, LiteralString

from psycopg import Connection, IsolationLevel, sql
from psycopg.rows import DictRow

from infra.eventlog.mapper import ZstdCompressor
from infra.eventlog.portable.lines import Header, LineWriter, Trailer

FETCH_ROWS = 500
END = 2**62

Watch = Callable[[dict[str, Any], bytes], object]
"""Is shown the envelope and the payload of each event on its way."""


@dataclass(frozen=True)
class Selection:
    """Which events: by position (`after` < position ≤ `until`), stream, and time (from `since`, before `before`)."""

    after: int = 0
    until: int = END
    streams: Sequence[str] = ()
    since: datetime | None = None
    before: datetime | None = None

    @property
    def whole(self) -> bool:
        """Whether nothing in the range of positions is left out."""
        return not self.streams and self.since is None and self.before is None


def export(
    connection: Connection[DictRow], target: BinaryIO, selection: Selection, annals: str, watch: Watch | None = None
) -> tuple[Header, Trailer]:
    """`annals`: the version that writes."""
    connection.isolation_level = IsolationLevel.REPEATABLE_READ
    try:
        with connection.transaction():
            header = _header(connection, selection, annals)
            writer = LineWriter(target, header)
            compressor = ZstdCompressor()
            for row in _rows(connection, selection, header.until):
                payload = compressor.decompress(bytes(row.pop("state")))
                writer.event(row, payload)
                if watch is not None:
                    watch(row, payload)
            return header, writer.finish()
    finally:
        connection.isolation_level = None


def _header(connection: Connection[DictRow], selection: Selection, annals: str) -> Header:
    """The snapshot begins with the first statement, so the sequences are never behind the events."""
    row = connection.execute("SELECT coalesce(max(position), 0) AS head FROM log.events").fetchone()
    head = int(row["head"]) if row else 0
    until = max(min(head, selection.until), selection.after)
    created = datetime.now(UTC).isoformat(timespec="seconds")
    return Header(created, annals, selection.after, until, selection.whole, sequences(connection))


def sequences(connection: Connection[DictRow]) -> dict[str, int]:
    """Name → the last number that was handed out; those of which there was none are left out."""
    names = connection.execute(
        "SELECT sequencename AS name FROM pg_sequences WHERE schemaname = 'log' ORDER BY 1"
    ).fetchall()
    values = {}
    for row in names:
        statement = sql.SQL("SELECT last_value, is_called FROM {}").format(sql.Identifier("log", row["name"]))
        found = connection.execute(statement).fetchone()
        if found and found["is_called"]:
            values[row["name"]] = found["last_value"]
    return values


def _rows(connection: Connection[DictRow], selection: Selection, until: int) -> Iterator[dict[str, Any]]:
    conditions: list[tuple[LiteralString, Any]] = [("position > %s", selection.after), ("position <= %s", until)]
    if selection.streams:
        conditions.append(("stream = ANY(%s)", list(selection.streams)))
    if selection.since is not None:
        conditions.append(("time >= %s", selection.since))
    if selection.before is not None:
        conditions.append(("time < %s", selection.before))
    statement = sql.SQL("SELECT * FROM log.events WHERE {} ORDER BY position").format(
        sql.SQL(" AND ").join(sql.SQL(condition) for condition, _ in conditions)
    )
    with connection.cursor("export", binary=True) as cursor:
        cursor.itersize = FETCH_ROWS
        cursor.execute(statement, [value for _, value in conditions])
        yield from cursor
