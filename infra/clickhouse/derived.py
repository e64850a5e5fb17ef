"""Whether the tables beside `events` say what `events` says, cell by cell, and making them do so.

A row that is lacking is seen by its key (schema.lacking). That a row was changed by hand, or put in, is only seen when
all rows are made once more from `events`, by the query of the table's materialized view, and compared by hashes.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import NamedTuple

from clickhouse_connect.driver.client import Client

from infra.clickhouse import schema
from infra.clickhouse.client import typed_errors
from infra.clickhouse.schema import Layout

# What is made has the types that it would get in the table; else the same value may have another hash.
DIFFERENT = """
SELECT min(position), max(position), count() FROM
(
    SELECT position FROM
    (
        SELECT position, toInt128(cityHash64(tuple({made}))) AS hash, 1 AS sign FROM ({selection})
        UNION ALL
        SELECT position, -toInt128(cityHash64(tuple({held}))), -1 FROM {table} FINAL WHERE {span}
    )
    WHERE {others}
    GROUP BY position
    HAVING sum(hash) != 0 OR sum(sign) != 0
)
HAVING count() > 0
"""
COLUMNS = """
SELECT name, type FROM system.columns
WHERE database = {database:String} AND table = {table:String} ORDER BY position
"""


class Difference(NamedTuple):
    """Positions `first` to `last` of a table, of which so many have other rows than `events` gives."""

    table: str
    first: int
    last: int
    positions: int


def differences(
    client: Client, layout: Layout, after: int, until: int, except_for: Collection[int] = ()
) -> Iterator[Difference]:
    """Of all tables beside `events`, for `after` < position <= `until`, of each in order. `except_for`: positions of
    which `events` need not have what the tables have. Raises Unavailable, ClickHouseRefused.
    """
    for name in schema.tables(layout)[1:]:
        yield from _of_table(client, layout, name, after, until, except_for)


def mend(client: Client, layout: Layout, found: Difference, except_for: Collection[int] = ()) -> None:
    """The table gets what `events` has in place of what it has. Raises Unavailable, ClickHouseRefused."""
    span = f"position >= {found.first} AND position <= {found.last}"
    others = _others([position for position in except_for if found.first <= position <= found.last])
    with typed_errors():
        client.command(
            f"ALTER TABLE {layout.database}.{found.table} {layout.on_cluster} DELETE WHERE {span} AND {others}",
            settings=schema.SYNCHRONOUS,
        )
    schema.refill_derived(client, layout, found.table, found.first - 1, found.last)


def _of_table(
    client: Client, layout: Layout, name: str, after: int, until: int, except_for: Collection[int]
) -> list[Difference]:
    with typed_errors():
        columns = client.query(COLUMNS, parameters={"database": layout.database, "table": name}).result_rows
    made = ", ".join(f"CAST({column}, '{kind.replace(chr(39), chr(92) + chr(39))}')" for column, kind in columns)
    held = ", ".join(column for column, _ in columns)

    def look(first: int, last: int) -> list[Difference]:
        span = f"position > {first} AND position <= {last}"
        source = f"(SELECT * FROM {layout.database}.{schema.EVENTS} WHERE {span})"  # noqa: S608
        statement = DIFFERENT.format(
            made=made,
            held=held,
            selection=schema.selection(layout, name, source),
            table=f"{layout.database}.{name}",
            span=span,
            others=_others([position for position in except_for if first < position <= last]),
        )
        return [Difference(name, *row) for row in client.query(statement).result_rows]

    return sorted(found for block in schema.in_blocks(look, after, until) for found in block)


def _others(positions: Collection[int]) -> str:
    return f"position NOT IN ({', '.join(map(str, positions))})" if positions else "1"
