"""The net changes of a batch do to a table what its changes would have done one by one."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import Connection
from psycopg.rows import DictRow, dict_row

from projections.changes import MAX_ROWS, Changes, Table

THINGS = Table("things", ("a", "b"), groups=("owner", "room"))
COLUMNS = """(a integer, b text, owner integer NOT NULL, room text, name text, n integer NOT NULL, m integer NOT NULL,
doc json, PRIMARY KEY (a, b))"""

Row = dict[str, Any]
Op = tuple[Any, ...]
Key = tuple[int, str]


@pytest.fixture(scope="module")
def connection(postgres: str) -> Iterator[Connection[DictRow]]:
    """With an empty table of its own."""
    with psycopg.connect(postgres, autocommit=True, row_factory=dict_row) as connection:
        connection.execute(f"CREATE TEMPORARY TABLE things {COLUMNS}".encode())
        connection.execute("CREATE TEMPORARY TABLE things_discarded (LIKE things, deletion bigint NOT NULL)")
        yield connection


class Naive:
    """A table in memory that is changed row by row."""

    def __init__(self) -> None:
        self.rows: dict[Key, Row] = {}
        self.discarded: dict[int, dict[Key, Row]] = {}

    def apply(self, op: Op) -> None:
        getattr(self, op[0])(*op[1:])

    def put(self, row: Row) -> None:
        self.rows[row["a"], row["b"]] = dict(row)

    insert = put

    def update(self, key: Key, columns: Row) -> None:
        if key in self.rows:
            self.rows[key] |= columns

    def add(self, key: Key, columns: Row) -> None:
        if key in self.rows:
            for name, value in columns.items():
                self.rows[key][name] += value

    def delete(self, key: Key) -> None:
        self.rows.pop(key, None)

    def delete_group(self, column: str, value: Any) -> None:
        self.rows = {key: row for key, row in self.rows.items() if row[column] != value}

    def update_group(self, column: str, value: Any, columns: Row) -> None:
        for row in self.rows.values():
            if row[column] == value:
                row |= columns

    def discard(self, column: str, value: Any, deletion: int) -> None:
        gone = {key: row for key, row in self.rows.items() if row[column] == value}
        self.discarded.setdefault(deletion, {}).update(gone)
        self.delete_group(column, value)

    def recover(self, deletion: int) -> None:
        self.rows |= self.discarded.pop(deletion)


def apply(changes: Changes, op: Op) -> None:
    name, *arguments = op
    if name in ("update", "add"):
        key, columns = arguments
        getattr(changes, name)(THINGS, *key, **columns)
    elif name == "delete":
        changes.delete(THINGS, *arguments[0])
    elif name == "update_group":
        column, value, columns = arguments
        changes.update_group(THINGS, column, value, **columns)
    elif name in ("delete_group", "discard", "recover"):
        getattr(changes, name)(THINGS, *arguments)
    else:
        getattr(changes, name)(THINGS, dict(arguments[0]))


keys = st.tuples(st.integers(1, 2), st.sampled_from(["x", "y"]))
numbers = st.integers(-3, 3)
names = st.sampled_from(["", "naïve", 'quo"te', None])
rows = st.fixed_dictionaries(
    {
        "a": st.integers(1, 2),
        "b": st.sampled_from(["x", "y"]),
        "owner": st.integers(1, 2),
        "room": st.sampled_from(["red", "blue", None]),
        "name": names,
        "n": numbers,
        "m": numbers,
        "doc": st.sampled_from([None, {"points": [1, 2.5]}, []]),
    }
)
ops = st.one_of(
    st.tuples(st.just("insert"), rows),
    st.tuples(st.just("put"), rows),
    st.tuples(st.just("update"), keys, st.dictionaries(st.just("name"), names, min_size=1)),
    st.tuples(st.just("update"), keys, st.fixed_dictionaries({"n": numbers}, optional={"m": numbers, "name": names})),
    st.tuples(st.just("add"), keys, st.fixed_dictionaries({"n": numbers}, optional={"m": numbers})),
    st.tuples(st.just("delete"), keys),
    st.tuples(st.just("delete_group"), st.just("owner"), st.integers(1, 2)),
    st.tuples(st.just("delete_group"), st.just("room"), st.sampled_from(["red", "blue"])),
    st.tuples(
        st.just("update_group"),
        st.just("room"),
        st.sampled_from(["red", "blue"]),
        st.fixed_dictionaries({"n": numbers}),
    ),
    st.tuples(st.just("discard"), st.just("owner"), st.integers(1, 2)),
    st.tuples(st.just("recover"), st.integers(1, 3)),
)


ROW: Row = {"owner": 1, "room": "red", "name": "", "n": 0, "m": 0, "doc": None}
FULL: list[Op] = [("insert", {"a": a, "b": b} | ROW) for a in (1, 2) for b in "xy"]


@settings(max_examples=300)
@given(batches=st.lists(st.lists(ops, max_size=12), max_size=4))
def test_a_batch_does_what_its_changes_would_do_one_by_one(
    connection: Connection[DictRow], batches: list[list[Op]]
) -> None:
    connection.execute("TRUNCATE things, things_discarded")
    naive, changes = Naive(), Changes()
    deletion = 0
    with connection.cursor() as cursor:
        for batch in [FULL, *batches]:
            for op in batch:
                if op[0] == "insert" and (op[1]["a"], op[1]["b"]) in naive.rows:
                    continue  # a fold inserts what is new only
                if op[0] == "discard":
                    deletion += 1
                    op = (*op, deletion)
                if op[0] == "recover" and naive.rows.keys() & naive.discarded.setdefault(op[1], {}).keys():
                    continue  # and brings back only what has left its place free
                naive.apply(op)
                apply(changes, op)
            changes.flush(cursor)
    table = {(row["a"], row["b"]): row for row in connection.execute("SELECT * FROM things")}
    assert table == naive.rows
    discarded = connection.execute("SELECT * FROM things_discarded").fetchall()
    kept = {(d, *key): row | {"deletion": d} for d, rows in naive.discarded.items() for key, row in rows.items()}
    assert {(row["deletion"], row["a"], row["b"]): row for row in discarded} == kept
    assert len(discarded) == len(kept)


def test_a_flush_writes_once(connection: Connection[DictRow]) -> None:
    connection.execute("TRUNCATE things")
    changes = Changes()
    with connection.cursor() as cursor:
        changes.insert(THINGS, {"a": 1, "b": "x", "owner": 1, "room": None, "n": 0, "m": 0})
        changes.flush(cursor)
        changes.add(THINGS, 1, "x", n=1)
        changes.flush(cursor)
        changes.flush(cursor)
    assert connection.execute("SELECT n FROM things").fetchall() == [{"n": 1}]


def test_more_rows_than_one_statement_takes(connection: Connection[DictRow]) -> None:
    connection.execute("TRUNCATE things")
    count = MAX_ROWS * 2 + 1
    changes = Changes()
    with connection.cursor() as cursor:
        for number in range(count):
            changes.insert(THINGS, {"a": number, "b": "x", "owner": 1, "room": None, "n": number, "m": 0})
        changes.flush(cursor)
        for number in range(count):
            changes.add(THINGS, number, "x", n=1)
        changes.flush(cursor)
        assert cursor.execute("SELECT count(*), sum(n - a) FROM things").fetchone() == {"count": count, "sum": count}
        for number in range(1, count):
            changes.delete(THINGS, number, "x")
        changes.flush(cursor)
    assert connection.execute("SELECT a, n FROM things").fetchall() == [{"a": 0, "n": 1}]


def test_what_groups_go_by_never_changes(connection: Connection[DictRow]) -> None:
    with pytest.raises(ValueError, match="things: rows are deleted by owner, room"):
        Changes().update(THINGS, 1, "x", room="red")


def test_values_keep_their_types(connection: Connection[DictRow]) -> None:
    connection.execute(
        "CREATE TEMPORARY TABLE kinds (id integer, at timestamptz, ids integer[], flag boolean, big bigint)"
    )
    row = {
        "id": 1,
        "at": datetime(2026, 11, 20, 12, 0, 0, 123456, tzinfo=UTC),
        "ids": [1, 2],
        "flag": True,
        "big": 2**62,
    }
    changes = Changes()
    with connection.cursor() as cursor:
        changes.insert(Table("kinds"), row)
        changes.flush(cursor)
    assert connection.execute("SELECT * FROM kinds").fetchall() == [row]
