"""Row changes: what a batch of events does to tables, gathered in memory and written with a few statements.

A fold never touches the database. It says insert, update, add, delete; later changes of the batch meet earlier ones
here, so that the net result is written once: one statement per table and kind, whatever the number of events.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from projections import packing, statements
from projections.statements import Executor, Row

Key = tuple[Any, ...]

MAX_ROWS = 5_000
"""Rows in one statement: bounds the memory of both sides."""


@dataclass(frozen=True, eq=False)  # each is made once, and used as a key all the time
class Table:
    """A table of a projection. `key`: what its rows are known by. `groups`: columns by which whole sets of rows are
    deleted or discarded.
    """

    name: str
    key: tuple[str, ...] = ("id",)
    groups: tuple[str, ...] = ()

    @property
    def primary_key(self) -> tuple[str, ...]:
        """The columns of the table's primary key."""
        return self.key

    @cached_property
    def discarded(self) -> Table:
        """Where `discard` puts rows: `<name>_discarded`, with the same columns and `deletion` behind them."""
        return Table(f"{self.name}_discarded", ("deletion", *self.key))

    def write(self, cursor: Executor, changes: TableChanges) -> None:
        """The net changes, in the order of their fields."""
        for column in self.groups:
            values = sorted(value for name, value in changes.groups if name == column)
            if values:
                cursor.execute(statements.delete_group(self.name, column), (values,))
        if changes.deletes:
            rows = [dict(zip(self.key, key, strict=True)) for key in changes.deletes]
            _each(cursor, statements.delete(self.name, self.key), rows)
        if changes.inserts:
            _each(cursor, statements.insert(self.name), list(changes.inserts.values()))
        for columns, rows in _by_columns(self, changes.updates).items():
            _each(cursor, statements.update(self.name, self.key, columns), rows)
        for columns, rows in _by_columns(self, changes.sums).items():
            _each(cursor, statements.update(self.name, self.key, columns, add=True), rows)


class PackedTable(Table):
    """A table of many small rows, of which each row that is stored packs a bucket (`projections.packing`). They are
    inserted and deleted, never updated.
    """

    @property
    def primary_key(self) -> tuple[str, ...]:
        return packing.PRIMARY_KEY

    def write(self, cursor: Executor, changes: TableChanges) -> None:
        for column in self.groups:
            values = sorted(value for name, value in changes.groups if name == column)
            if values:
                cursor.execute(statements.delete_group(self.name, column), (values,))
        if changes.deletes:
            packing.remove(cursor, self.name, [key[0] for key in changes.deletes], changes.inserts)
        rows = list(changes.inserts.values())
        for start in range(0, len(rows), MAX_ROWS):
            packing.insert(cursor, self.name, rows[start : start + MAX_ROWS])


@dataclass
class TableChanges:
    """The net changes of one table."""

    groups: set[tuple[str, Any]] = field(default_factory=set)
    deletes: set[Key] = field(default_factory=set)
    inserts: dict[Key, Row] = field(default_factory=dict)
    updates: dict[Key, Row] = field(default_factory=dict)
    sums: dict[Key, Row] = field(default_factory=dict)
    members: dict[tuple[str, Any], set[Key]] = field(default_factory=lambda: defaultdict(set))

    def write(self, cursor: Executor, table: Table) -> None:
        table.write(cursor, self)


@dataclass(frozen=True)
class GroupUpdate:
    """Rows in which a column has a value get new values in other columns."""

    column: str
    value: Any
    new: Row

    def write(self, cursor: Executor, table: Table) -> None:
        statement = statements.update(table.name, (self.column,), tuple(sorted(self.new)))
        cursor.execute(statement, (statements.as_json([{self.column: self.value} | self.new]),))


@dataclass(frozen=True)
class Discard:
    """Rows in which a column has a value go to the table of discarded ones."""

    column: str
    value: Any
    deletion: int

    def write(self, cursor: Executor, table: Table) -> None:
        statement = statements.discard(table.name, table.discarded.name, self.column)
        cursor.execute(statement, (self.value, self.deletion))


@dataclass(frozen=True)
class Recover:
    """All that went with one deletion comes back."""

    deletion: int

    def write(self, cursor: Executor, table: Table) -> None:
        cursor.execute(statements.recover(table.name, table.discarded.name), (self.deletion,))


@dataclass(frozen=True)
class Forget:
    """All that went with one deletion is gone for good."""

    deletion: int

    def write(self, cursor: Executor, table: Table) -> None:
        cursor.execute(statements.forget(table.discarded.name), (self.deletion,))


Step = TableChanges | GroupUpdate | Discard | Recover | Forget


class Changes:
    """The changes of one batch, all tables."""

    def __init__(self) -> None:
        self._steps: dict[Table, list[Step]] = {}

    def __getitem__(self, table: Table) -> TableChanges:
        """The net changes since rows were last moved, which takes them all at once."""
        steps = self._steps.get(table)
        if steps is None:
            steps = self._steps[table] = []
        last = steps[-1] if steps else None
        if isinstance(last, TableChanges):
            return last
        changes = TableChanges()
        steps.append(changes)
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

    def update_group(self, table: Table, column: str, value: Any, **columns: Any) -> None:
        """New values for some columns of all rows in which one has the value."""
        self._steps.setdefault(table, []).append(GroupUpdate(column, value, columns))

    def discard(self, table: Table, column: str, value: Any, deletion: int) -> None:
        """Takes the rows with this value out of the table, to where `recover` finds them. `deletion`: the position of
        the event that deletes them.
        """
        self._steps.setdefault(table, []).append(Discard(column, value, deletion))

    def recover(self, table: Table, deletion: int) -> None:
        """Puts back what one deletion discarded."""
        self._steps.setdefault(table, []).append(Recover(deletion))

    def forget(self, table: Table, deletion: int) -> None:
        """Removes for good what one deletion discarded."""
        self._steps.setdefault(table, []).append(Forget(deletion))

    def flush(self, cursor: Executor) -> None:
        """Write everything, table by table."""
        for table, steps in self._steps.items():
            for step in steps:
                step.write(cursor, table)
        self._steps = {}


def _each(cursor: Executor, statement: bytes, rows: list[Row]) -> None:
    for start in range(0, len(rows), MAX_ROWS):
        cursor.execute(statement, (statements.as_json(rows[start : start + MAX_ROWS]),))


def _by_columns(table: Table, changes: dict[Key, Row]) -> dict[tuple[str, ...], list[Row]]:
    """Rows that change the same columns go into one statement."""
    sets: dict[tuple[str, ...], list[Row]] = {}
    for key, columns in changes.items():
        row = dict(zip(table.key, key, strict=True)) | columns
        sets.setdefault(tuple(sorted(columns)), []).append(row)
    return sets
