"""Row changes: what a batch of events does to tables, gathered in memory and written with a few statements.

A fold never touches the database. It says insert, update, add, delete; later changes of the batch meet earlier ones
here, so that the net result is written once: one statement per table and kind, whatever the number of events. Rows
travel as JSON, which PostgreSQL turns into typed rows by the table's own definition.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any, Protocol

import orjson

Row = dict[str, Any]
Key = tuple[Any, ...]


class Executor(Protocol):
    """What statements can be given to: a cursor, or a writer that gathers them."""

    def execute(self, statement: bytes, params: Sequence[Any], /) -> object: ...


MAX_ROWS = 5_000
"""Rows in one statement: bounds the memory of both sides."""


@dataclass(frozen=True, eq=False)  # each is made once, and used as a key all the time
class Table:
    """A table of a projection. `key`: its primary key. `groups`: columns by which whole sets of rows are deleted."""

    name: str
    key: tuple[str, ...] = ("id",)
    groups: tuple[str, ...] = ()


@dataclass
class TableChanges:
    """The net changes of one table. They are written in the order of the fields."""

    groups: set[tuple[str, Any]] = field(default_factory=set)
    deletes: set[Key] = field(default_factory=set)
    inserts: dict[Key, Row] = field(default_factory=dict)
    updates: dict[Key, Row] = field(default_factory=dict)
    sums: dict[Key, Row] = field(default_factory=dict)
    members: dict[tuple[str, Any], set[Key]] = field(default_factory=lambda: defaultdict(set))


class Changes:
    """The changes of one batch, all tables."""

    def __init__(self) -> None:
        self._tables: dict[Table, TableChanges] = {}

    def __getitem__(self, table: Table) -> TableChanges:
        changes = self._tables.get(table)
        if changes is None:
            changes = self._tables[table] = TableChanges()
        return changes

    def insert(self, table: Table, row: Row) -> None:
        """A new row, whole but for columns with a default null."""
        changes, key = self[table], tuple(row[name] for name in table.key)
        changes.inserts[key] = row
        changes.updates.pop(key, None)
        changes.sums.pop(key, None)
        for column in table.groups:
            changes.members[column, row[column]].add(key)

    def put(self, table: Table, row: Row) -> None:
        """A row that takes the place of the one with its key, if there is one."""
        self[table].deletes.add(tuple(row[name] for name in table.key))
        self.insert(table, row)

    def update(self, table: Table, *key: Any, **columns: Any) -> None:
        """New values for some columns, none of `table.groups`; without effect when there is no such row."""
        if table.groups and not columns.keys().isdisjoint(table.groups):
            raise ValueError(f"{table.name}: rows are deleted by {', '.join(table.groups)}, so these never change")
        changes = self[table]
        row = changes.inserts.get(key)
        if row is not None:
            row.update(columns)
        elif key not in changes.deletes:
            changes.updates.setdefault(key, {}).update(columns)
            sums = changes.sums.pop(key, {})
            if rest := {name: value for name, value in sums.items() if name not in columns}:
                changes.sums[key] = rest

    def add(self, table: Table, *key: Any, **columns: int) -> None:
        """Numbers to be added to columns; without effect when there is no such row."""
        changes = self[table]
        row = changes.inserts.get(key)
        if row is None and key in changes.deletes:
            return
        target = row if row is not None else changes.sums.setdefault(key, {})
        for name, value in columns.items():
            target[name] = target.get(name, 0) + value

    def delete(self, table: Table, *key: Any) -> None:
        changes = self[table]
        changes.inserts.pop(key, None)
        changes.updates.pop(key, None)
        changes.sums.pop(key, None)
        changes.deletes.add(key)

    def delete_group(self, table: Table, column: str, value: Any) -> None:
        """Deletes all rows in which one of `table.groups` has the value."""
        changes = self[table]
        changes.groups.add((column, value))
        for key in changes.members.pop((column, value), ()):
            row = changes.inserts.get(key)
            # The key may have been deleted and inserted again under another value.
            if row is not None and row[column] == value:
                del changes.inserts[key]

    def flush(self, cursor: Executor) -> None:
        """Write everything, table by table."""
        for table, changes in self._tables.items():
            _flush(cursor, table, changes)
        self._tables = {}


def _flush(cursor: Executor, table: Table, changes: TableChanges) -> None:
    for column in table.groups:
        values = sorted(value for name, value in changes.groups if name == column)
        if values:
            cursor.execute(_delete_group(table, column), (values,))
    if changes.deletes:
        _each(cursor, _delete(table), [dict(zip(table.key, key, strict=True)) for key in changes.deletes])
    if changes.inserts:
        _each(cursor, _insert(table), list(changes.inserts.values()))
    for columns, rows in _by_columns(table, changes.updates).items():
        _each(cursor, _update(table, columns), rows)
    for columns, rows in _by_columns(table, changes.sums).items():
        _each(cursor, _update(table, columns, add=True), rows)


def _each(cursor: Executor, statement: bytes, rows: list[Row]) -> None:
    for start in range(0, len(rows), MAX_ROWS):
        cursor.execute(statement, (orjson.dumps(rows[start : start + MAX_ROWS]).decode(),))


def _by_columns(table: Table, changes: dict[Key, Row]) -> dict[tuple[str, ...], list[Row]]:
    """Rows that change the same columns go into one statement."""
    sets: dict[tuple[str, ...], list[Row]] = {}
    for key, columns in changes.items():
        row = dict(zip(table.key, key, strict=True)) | columns
        sets.setdefault(tuple(sorted(columns)), []).append(row)
    return sets


# The texts are made once: putting them together costs more than many a small statement itself.


@cache
def _delete_group(table: Table, column: str) -> bytes:
    return f'DELETE FROM "{table.name}" WHERE "{column}" = ANY(%s)'.encode()


@cache
def _insert(table: Table) -> bytes:
    return f'INSERT INTO "{table.name}" SELECT * FROM {_rows(table)}'.encode()


@cache
def _delete(table: Table) -> bytes:
    return f'DELETE FROM "{table.name}" t USING {_rows(table)} v WHERE {_same_key(table)}'.encode()


@cache
def _update(table: Table, columns: tuple[str, ...], *, add: bool = False) -> bytes:
    sets = ", ".join(f'"{name}" = ' + (f't."{name}" + ' if add else "") + f'v."{name}"' for name in columns)
    return f'UPDATE "{table.name}" t SET {sets} FROM {_rows(table)} v WHERE {_same_key(table)}'.encode()


def _rows(table: Table) -> str:
    return f'json_populate_recordset(NULL::"{table.name}", %s::json)'


def _same_key(table: Table) -> str:
    return " AND ".join(f't."{name}" = v."{name}"' for name in table.key)
