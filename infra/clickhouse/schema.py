"""The ordered migrations of ClickHouse, and what has to be done to all of its tables at once.

The same files serve the embedded engine, a server and a cluster (see layout.py). `events` is the table that is written
to. Beside it are tables of what analysts ask for most, each filled from what is inserted into `events` by a
materialized view `fill_<table>`, and plain views on top of them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from importlib.resources import files
from string import Template
from typing import Any, Final, TypeVar

from clickhouse_connect.driver.client import Client

from infra.clickhouse.client import ClickHouseRefused, typed_errors
from infra.clickhouse.layout import DEFAULT, Layout, expired_before
from infra.clickhouse.standing import definitions, needless

__all__ = [
    "Layout",
    "complete",
    "delete",
    "exchange",
    "expired_before",
    "migrate",
    "refill_derived",
    "statements",
    "tables",
]

EVENTS: Final = "events"
T = TypeVar("T")

_FILL: Final = re.compile(r"CREATE MATERIALIZED VIEW IF NOT EXISTS \S+\.fill_(?P<table>\w+)\s.*?\sAS\n", re.DOTALL)
_TABLE: Final = re.compile(r"CREATE TABLE IF NOT EXISTS \S+\.(?P<table>\w+)\s")
_KEY: Final = re.compile(r"\nORDER BY \((.+)\)\n")
_TTL: Final = re.compile(r" TTL (.+?) SETTINGS ", re.DOTALL)
_BLOCK: Final = 250_000
"""Positions that are filled in at once: they bound the memory and the time of one statement."""

_MEMORY_LIMIT_EXCEEDED: Final = 241

SYNCHRONOUS: Final = {"mutations_sync": 2}
"""Answered when it is done, on all replicas."""


def migrate(client: Client, layout: Layout = DEFAULT) -> None:
    """Bring ClickHouse up to date; nobody may insert meanwhile. Raises Unavailable, ClickHouseRefused.

    All migrations run in order, each time: ClickHouse has no transactions around DDL, so a note of what has run could
    be wrong. Each statement is written to change nothing when what it does is done (IF NOT EXISTS, OR REPLACE).
    A table that is new beside `events` gets what `events` has, and only then its materialized view: where that is
    missing, the table is not complete. What a server has is not asked for; others of a cluster may lack it.
    """
    with typed_errors():
        there = definitions(client, layout.database)
        done = set() if layout.cluster else needless(client, statements(layout), there)
        for statement in statements(layout):
            if statement in done:
                continue
            fill = _FILL.match(statement)
            if fill and f"fill_{fill['table']}" not in there:
                refill_derived(client, layout, fill["table"])
            client.command(statement)
        _keep_ttl(client, layout)


def exchange(client: Client, layout: Layout, fresh: str) -> None:
    """Puts the tables of the database `fresh`, which was migrated with `layout.beside(fresh)` and written to, in place
    of those of `layout`, and the other way round; nobody may insert meanwhile. Materialized views stay with their
    database. Raises Unavailable, ClickHouseRefused.

    Table by table: readers find each of them whole, old or new. Interrupted, it leaves some old and some new; then
    rebuild anew rather than exchange again, which would bring back the old ones.
    """
    with typed_errors():
        for name in tables(layout)[1:]:
            for database in (layout.database, fresh):
                client.command(f"DROP VIEW IF EXISTS {database}.fill_{name} {layout.on_cluster} SYNC")
        for name in tables(layout):
            client.command(f"EXCHANGE TABLES {layout.database}.{name} AND {fresh}.{name} {layout.on_cluster}")
        for side in (layout, layout.beside(fresh)):
            for statement in statements(side):
                if _FILL.match(statement):
                    client.command(statement)


def delete(client: Client, layout: Layout, condition: str, parameters: Mapping[str, Any] | None = None) -> None:
    """Deletes rows from all tables. `condition` is on columns that all have: position, row, timestamp. `events` comes
    last, so that whoever looks there sees what is still to be done. Raises Unavailable, ClickHouseRefused.
    """
    with typed_errors():
        for name in reversed(tables(layout)):
            client.command(
                f"ALTER TABLE {layout.database}.{name} {layout.on_cluster} DELETE WHERE {condition}",
                parameters=dict(parameters or {}),
                settings=SYNCHRONOUS,
            )


def complete(client: Client, layout: Layout, after: int = 0) -> None:
    """Adds to the tables beside `events` what they lack of the positions behind `after`: whoever was killed in the
    middle of an insert may have left it in `events` alone. Raises Unavailable, ClickHouseRefused.
    """
    for name in tables(layout)[1:]:
        refill_derived(client, layout, name, after)


def refill_derived(client: Client, layout: Layout, name: str, after: int = 0, until: int | None = None) -> None:
    """Adds to a table beside `events` what it lacks of `after` < position <= `until` (None: all that `events` has).
    Rows that it has stay as they are. Raises Unavailable, ClickHouseRefused.
    """
    if until is None:
        with typed_errors():
            until = _last(client, layout)

    def fill(first: int, last: int) -> None:
        # Not under the deduplication log: it may know these very rows, though they have been deleted since.
        statement = f"INSERT INTO {layout.database}.{name} {_lacking(layout, name, first, last)}"
        client.command(statement, settings={"insert_deduplicate": 0})

    in_blocks(fill, after, until)


def lacking(client: Client, layout: Layout, name: str, after: int, until: int) -> int:
    """How many rows a table beside `events` lacks of `after` < position <= `until`. Raises Unavailable,
    ClickHouseRefused.
    """

    def count(first: int, last: int) -> int:
        statement = f"SELECT count() FROM ({_lacking(layout, name, first, last)})"  # noqa: S608
        return int(client.query(statement).result_rows[0][0])

    return sum(in_blocks(count, after, until))


def in_blocks(run: Callable[[int, int], T], after: int, until: int) -> list[T]:
    """Of the positions `after` < position <= `until`, a block at a time; one that takes more memory than a query may
    have is halved.
    """
    blocks = [(first, min(first + _BLOCK, until)) for first in range(after, until, _BLOCK)]
    done = []
    while blocks:
        first, last = blocks.pop()
        try:
            with typed_errors():
                done.append(run(first, last))
        except ClickHouseRefused as error:
            if error.code != _MEMORY_LIMIT_EXCEEDED or last - first == 1:
                raise
            middle = (first + last) // 2
            blocks += [(middle, last), (first, middle)]
    return done


def _lacking(layout: Layout, name: str, after: int, until: int) -> str:
    """The query for the rows that a table beside `events` ought to have of these positions, and has not."""
    source, target, key = f"{layout.database}.{EVENTS}", f"{layout.database}.{name}", _keys(layout)[name]
    span = f"position > {after} AND position <= {until}"
    rows = selection(layout, name, f"(SELECT * FROM {source} WHERE {span})")  # noqa: S608
    return f"SELECT * FROM ({rows}) WHERE ({key}) NOT IN (SELECT {key} FROM {target} WHERE {span})"  # noqa: S608


def _last(client: Client, layout: Layout) -> int:
    return int(client.query(f"SELECT max(position) FROM {layout.database}.{EVENTS}").result_rows[0][0])  # noqa: S608


def is_empty(client: Client, layout: Layout) -> bool:
    """Whether no table has a row. Raises Unavailable, ClickHouseRefused."""
    counts = (f"SELECT count() AS rows FROM {layout.database}.{name}" for name in tables(layout))  # noqa: S608
    with typed_errors():
        return int(client.query(f"SELECT sum(rows) FROM ({' UNION ALL '.join(counts)})").result_rows[0][0]) == 0  # noqa: S608


def tables(layout: Layout = DEFAULT) -> list[str]:
    """The tables that hold rows: `events`, then those that are filled from it, in the order of the migrations."""
    return list(_keys(layout))


def statements(layout: Layout = DEFAULT, source: str | None = None) -> list[str]:
    """All statements in order. `source`: what materialized views read instead of `events`."""
    names = layout.names | {"events": source or f"{layout.database}.{EVENTS}"}
    return [Template(text).substitute(names) for name in migration_names() for text in _texts(name)]


def migration_names() -> list[str]:
    return sorted(entry.name for entry in files("infra.clickhouse.migrations").iterdir() if entry.name.endswith(".sql"))


@cache
def _texts(name: str) -> tuple[str, ...]:
    """The templates in a migration. Each ends with a semicolon at the end of a line."""
    return tuple(_split(files("infra.clickhouse.migrations").joinpath(name).read_text()))


def _split(text: str) -> Iterator[str]:
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("--")]
    for part in ("\n".join(lines) + "\n").split(";\n"):
        if part.strip():
            yield part.strip()


def _keys(layout: Layout) -> dict[str, str]:
    """Each table's columns that know a row."""
    return {
        table["table"]: key[1]
        for statement in statements(layout)
        if (table := _TABLE.match(statement)) and (key := _KEY.search(statement))
    }


def selection(layout: Layout, name: str, source: str) -> str:
    """The query that makes a table's rows from those of `source`."""
    for statement in statements(layout, source):
        fill = _FILL.match(statement)
        if fill and fill["table"] == name:
            return statement[fill.end() :]
    raise LookupError(f"No table beside events is named {name}")


def _keep_ttl(client: Client, layout: Layout) -> None:
    """Only when it differs: setting a TTL makes ClickHouse rewrite the table."""
    engine = client.query(
        "SELECT engine_full FROM system.tables WHERE database = {database:String} AND name = {name:String}",
        parameters={"database": layout.database, "name": EVENTS},
    ).result_rows[0][0]
    found = _TTL.search(engine)
    if (found[1] if found else None) == layout.ttl:
        return
    change = f"MODIFY TTL {layout.ttl}" if layout.ttl else "REMOVE TTL"
    client.command(f"ALTER TABLE {layout.database}.{EVENTS} {layout.on_cluster} {change}")
