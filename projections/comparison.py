"""Two tables of one shape compared: by hashes of key ranges, so that only a range that differs is read row by row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import Connection, sql
from psycopg.rows import DictRow, tuple_row

from domain.event import body_types
from projections.changes import Table
from projections.finding import Finding, first_line

RANGE_ROWS = 10_000
HIDDEN = "(hidden)"

Digests = dict[int, tuple[int, int]]
"""Range → how many rows, and the sum of their hashes: the order does not matter, and a double row shows."""


@dataclass(frozen=True)
class Part:
    """The rows that are looked at: those in which a column has one of some values. No column: all rows."""

    column: str | None = None
    values: Sequence[Any] = ()

    def of(self, schema: str, table: Table) -> sql.Composable:
        """The rows, as something to select from."""
        name = sql.Identifier(schema, table.name)
        if self.column is None:
            return name
        condition = sql.SQL("{} = ANY({})").format(sql.Identifier(self.column), sql.Literal(list(self.values)))
        return sql.SQL("(SELECT * FROM {} WHERE {})").format(name, condition)


def compare(connection: Connection[DictRow], table: Table, live: str, fresh: str, part: Part = Part()) -> Finding:
    """The table of the schema `live` against that of `fresh`."""
    subject = f"table {table.name}"
    try:
        with connection.transaction():
            sources = part.of(live, table), part.of(fresh, table)
            bounds = _bounds(connection, sources[1], table)
            found, expected = (_digests(connection, source, table, bounds) for source in sources)
            rows = sum(count for count, _ in found.values())
            measure = f"{rows:,} row{'' if rows == 1 else 's'}"
            if found == expected:
                return Finding(subject, measure)
            number = min(key for key in found.keys() | expected.keys() if found.get(key) != expected.get(key))
            first = _first_difference(connection, table, sources, _limits(bounds, number))
            return Finding(subject, measure, first or "its rows differ")
    except psycopg.Error as error:
        return Finding(subject, "", f"can't be read: {first_line(error)}")


def _bounds(connection: Connection[DictRow], source: sql.Composable, table: Table) -> list[Any]:
    """Values of the first key column that cut the table into ranges of about `RANGE_ROWS` rows."""
    statement = sql.SQL(
        "SELECT DISTINCT k FROM (SELECT {key} AS k, row_number() OVER (ORDER BY {key}) AS n FROM {table} r) t"
        " WHERE n %% {size} = 0 ORDER BY k"
    ).format(key=_first_key(table), table=source, size=sql.Literal(RANGE_ROWS))
    with connection.cursor(row_factory=tuple_row) as cursor:
        return [key for (key,) in cursor.execute(statement, ()).fetchall()]


def _digests(connection: Connection[DictRow], source: sql.Composable, table: Table, bounds: list[Any]) -> Digests:
    number = sql.SQL("width_bucket({}, %s)").format(_first_key(table)) if bounds else sql.SQL("0")
    statement = sql.SQL(
        "SELECT {number} AS range, count(*), sum(hashtextextended(t::text, 0)) FROM {table} t GROUP BY 1"
    ).format(number=number, table=source)
    with connection.cursor(row_factory=tuple_row) as cursor:
        rows = cursor.execute(statement, (bounds,) if bounds else ()).fetchall()
    return {number: (count, digest) for number, count, digest in rows}


def _limits(bounds: list[Any], number: int) -> tuple[Any, Any]:
    """The keys from which and up to which a range goes; None: without end."""
    return (bounds[number - 1] if number else None), (bounds[number] if number < len(bounds) else None)


def _first_difference(
    connection: Connection[DictRow],
    table: Table,
    sources: tuple[sql.Composable, sql.Composable],
    limits: tuple[Any, Any],
) -> str | None:
    """In the order of the key, within a range."""
    terms = [(operator, limit) for operator, limit in zip((">=", "<"), limits, strict=True) if limit is not None]
    within = [sql.SQL("{} {} %s").format(_first_key(table), sql.SQL(operator)) for operator, _ in terms]
    part = sql.SQL("(SELECT * FROM {} r WHERE {})")
    condition = sql.SQL(" AND ").join([sql.SQL("true"), *within])
    statement = sql.SQL(
        "SELECT to_json(l) AS live, to_json(f) AS fresh FROM {live} l FULL JOIN {fresh} f USING ({key})"
        " WHERE l::text IS DISTINCT FROM f::text ORDER BY {key} LIMIT 1"
    ).format(
        live=part.format(sources[0], condition),
        fresh=part.format(sources[1], condition),
        key=sql.SQL(", ").join(map(sql.Identifier, table.primary_key)),
    )
    row = connection.execute(statement, [limit for _, limit in terms] * 2).fetchone()
    return None if row is None else _difference(table, row["live"], row["fresh"])


def _first_key(table: Table) -> sql.Identifier:
    return sql.Identifier(table.primary_key[0])


def _difference(table: Table, live: dict[str, Any] | None, fresh: dict[str, Any] | None) -> str:
    row = live if live is not None else fresh or {}
    where = ", ".join(f"{name} {row[name]}" for name in table.primary_key)
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
