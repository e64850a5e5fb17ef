"""From a file into the log of a new installation, or onto the end of one that was made from the files before."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import orjson
from psycopg import Connection, Cursor, sql
from psycopg.rows import DictRow

from domain.errors import Conflict, Invalid
from domain.event import body_type
from infra.eventlog.appender import LOCK
from infra.eventlog.mapper import ZstdCompressor
from infra.eventlog.portable.lines import Header, PortableReader

Watch = Callable[[dict[str, Any]], object]
"""Is shown each event on its way: its envelope, and its payload as `body`."""


@dataclass(frozen=True)
class Imported:
    """How many events, and the position of the last one."""

    events: int
    head: int


def import_log(
    connection: Connection[DictRow],
    reader: PortableReader,
    watch: Watch | None = None,
    finish: Callable[[], object] = lambda: None,
) -> Imported:
    """All or nothing. What is derived from the log is marked as not built. `finish` is called when every event has been
    read and before they are committed; what it raises stops that. Raises Invalid for a file that is damaged or
    cannot make an installation, Conflict when the log here is not where the file begins.
    """
    header = reader.header
    if not header.whole:
        raise Invalid("The file holds a selection of events: it can be read, but no installation be made from it")
    with connection.transaction(), connection.cursor() as cursor:
        cursor.execute(LOCK)
        _check_start(cursor, header)
        names = _columns(cursor)
        copied = 0
        statement = sql.SQL("COPY log.events ({}) FROM STDIN").format(sql.SQL(", ").join(map(sql.Identifier, names)))
        with cursor.copy(statement) as copy:
            for fields in _checked(reader, names):
                if watch is not None:
                    watch(fields)
                copy.write_row(_row(fields, names))
                copied += 1
        _check_streams(cursor, header)
        cursor.execute("DELETE FROM log.projections")
        finish()
        _hand_out(cursor, header)  # last, because PostgreSQL does not take it back
    return Imported(copied, header.until)


def _check_start(cursor: Cursor[DictRow], header: Header) -> None:
    row = cursor.execute("SELECT coalesce(max(position), 0) AS head FROM log.events").fetchone()
    head = row["head"] if row else 0
    if head != header.after:
        what = f"ends at position {head:,}" if head else "is empty"
        raise Conflict(f"The log here {what}; the file begins behind position {header.after:,}")


def _columns(cursor: Cursor[DictRow]) -> list[str]:
    rows = cursor.execute(
        "SELECT attname AS name FROM pg_attribute WHERE attrelid = 'log.events'::regclass AND attnum > 0"
        " AND NOT attisdropped ORDER BY attnum"
    )
    return [row["name"] for row in rows]


def _checked(reader: PortableReader, names: list[str]) -> Iterator[dict[str, Any]]:
    """The events, if they are known here and follow each other without a gap."""
    known = {*names, "body"} - {"state"}
    for fields in consecutive(reader):
        position = fields["position"]
        try:
            newest = body_type(fields["type"]).schema_version
        except LookupError as error:
            raise Invalid(f"Position {position:,}: {error.args[0]}") from None
        if fields["schema_version"] > newest or not fields.keys() <= known:
            raise Invalid(f"Position {position:,} was written by a newer version of Annals")
        yield fields


def consecutive(reader: PortableReader) -> Iterator[dict[str, Any]]:
    """The events, if each has a higher position than the one before; and none is left out, unless the file is a
    selection. Raises Invalid.
    """
    position, whole = reader.header.after, reader.header.whole
    for fields in reader.events():
        found = fields.get("position")
        if not isinstance(found, int) or found <= position or (whole and found != position + 1):
            raise Invalid(f"The file has no event at position {position + 1:,}")
        position = found
        yield fields
    if whole and position != reader.header.until:
        raise Invalid(f"The file ends at position {position:,}, not {reader.header.until:,}")


def _row(fields: dict[str, Any], names: list[str]) -> list[Any]:
    state = _compressor.compress(orjson.dumps(fields["body"]))
    return [state if name == "state" else fields.get(name) for name in names]


_compressor = ZstdCompressor()


def _check_streams(cursor: Cursor[DictRow], header: Header) -> None:
    """Versions go on without a gap. (None is there twice: the table sees to that.)"""
    row = cursor.execute(
        "SELECT stream FROM log.events WHERE stream IN (SELECT stream FROM log.events WHERE position > %s)"
        " GROUP BY stream HAVING count(*) <> max(version) LIMIT 1",
        (header.after,),
    ).fetchone()
    if row:
        raise Invalid(f"The versions of stream {row['stream']} have a gap")


def _hand_out(cursor: Cursor[DictRow], header: Header) -> None:
    for name, value in header.sequences.items():
        found = cursor.execute("SELECT to_regclass(%s) IS NOT NULL AS found", (f"log.{name}",)).fetchone()
        if not found or not found["found"]:
            raise Invalid(f"The file has a sequence {name[:60]} that is not known here")
        cursor.execute(
            sql.SQL("SELECT setval(%s, greatest(%s, (SELECT last_value FROM {})))").format(sql.Identifier("log", name)),
            (f"log.{name}", value),
        )
