"""A packed table holds what a table of single objects would, in the same bytes whatever the batches were."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import orjson
import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from psycopg import Connection
from psycopg.rows import DictRow, dict_row

from projections.annotations import ANNOTATIONS
from projections.changes import Changes

Op = tuple[Any, ...]


@pytest.fixture(scope="module")
def connection(postgres: str) -> Iterator[Connection[DictRow]]:
    """Its unqualified tables are empty ones of its own."""
    with psycopg.connect(postgres, autocommit=True, row_factory=dict_row) as connection:
        connection.execute("SET search_path = pg_temp, public")
        connection.execute(files("projections.schema").joinpath("annotations.sql").read_bytes())
        yield connection


object_ids = st.integers(1, 100)  # four buckets
texts = st.sampled_from(["plain", "two\nlines", 'quo"te', "naïve", "\\N", "{}", "\x00"])
objects = st.fixed_dictionaries(
    {
        "id": object_ids,
        "job_id": st.integers(1, 3),
        "kind": st.sampled_from(["shapes", "tags"]),
        "type": st.sampled_from(["", "rectangle"]),
        "label_id": st.integers(1, 2),
        "frame": st.integers(0, 3),
        "doc": st.fixed_dictionaries({"text": texts}),
    }
)
ops = st.one_of(
    st.tuples(st.just("put"), objects),
    st.tuples(st.just("delete"), object_ids),
    st.tuples(st.just("clear"), st.integers(1, 3)),
)
sizes = st.lists(st.integers(1, 30), min_size=1, max_size=4)


def fold(connection: Connection[DictRow], history: list[Op], sizes: list[int]) -> list[DictRow]:
    """The stored rows after the history, written in batches of these sizes, in turn."""
    connection.execute("TRUNCATE annotations")
    changes = Changes()
    turn = 0
    with connection.cursor() as cursor:
        while history:
            size = sizes[turn % len(sizes)]
            for op, value in history[:size]:
                if op == "put":
                    changes.put(ANNOTATIONS, dict(value))
                elif op == "delete":
                    changes.delete(ANNOTATIONS, value)
                else:
                    changes.delete_group(ANNOTATIONS, "job_id", value)
            changes.flush(cursor)
            history, turn = history[size:], turn + 1
    return connection.execute("SELECT * FROM annotations ORDER BY bucket, job_id, kind").fetchall()


def naive(history: list[Op]) -> dict[int, dict[str, Any]]:
    table: dict[int, dict[str, Any]] = {}
    for op, value in history:
        if op == "put":
            table[value["id"]] = value
        elif op == "delete":
            table.pop(value, None)
        else:
            table = {key: row for key, row in table.items() if row["job_id"] != value}
    return table


@settings(max_examples=150)
@given(history=st.lists(ops, max_size=60), sizes=sizes)
def test_what_is_packed_is_what_single_rows_would_be(
    connection: Connection[DictRow], history: list[Op], sizes: list[int]
) -> None:
    stored = fold(connection, history, sizes)
    rows = connection.execute("SELECT id, job_id, kind, type, label_id, frame, doc FROM annotation_objects").fetchall()
    assert {row["id"]: row | {"doc": orjson.loads(row["doc"])} for row in rows} == naive(history)
    assert len(rows) == len(naive(history)), "no object twice"
    assert all(row["ids"] == sorted(row["ids"]) and row["ids"] for row in stored), "in order, and none empty"
    assert stored == fold(connection, history, [1_000]), "the same bytes in one batch"


def test_a_submit_is_a_row_or_two(connection: Connection[DictRow]) -> None:
    row = {"job_id": 1, "kind": "shapes", "type": "rectangle", "label_id": 1, "frame": 0, "doc": {}}
    history: list[Op] = [("put", row | {"id": object_id}) for object_id in range(1_000, 1_010)]
    assert [len(row["ids"]) for row in fold(connection, history, [10])] == [10]
    assert len(fold(connection, [("put", row | {"id": i}) for i in range(1_020, 1_030)], [10])) == 2
