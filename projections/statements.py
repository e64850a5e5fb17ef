"""The statements that write row changes. Rows travel as JSON, which PostgreSQL turns into typed rows by the table's own
definition. The texts are made once: putting them together costs more than many a small statement itself.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any, Protocol

import orjson

Row = dict[str, Any]


class Executor(Protocol):
    """What statements can be given to: a cursor, or a writer that gathers them."""

    def execute(self, statement: bytes, params: Sequence[Any], /) -> object: ...


def as_json(rows: Sequence[Row]) -> str:
    return orjson.dumps(rows).decode()


@cache
def delete_group(table: str, column: str) -> bytes:
    return f'DELETE FROM "{table}" WHERE "{column}" = ANY(%s)'.encode()


@cache
def insert(table: str) -> bytes:
    return f'INSERT INTO "{table}" SELECT * FROM {_rows(table)}'.encode()


@cache
def delete(table: str, key: tuple[str, ...]) -> bytes:
    return f'DELETE FROM "{table}" t USING {_rows(table)} v WHERE {_same_key(key)}'.encode()


@cache
def update(table: str, key: tuple[str, ...], columns: tuple[str, ...], *, add: bool = False) -> bytes:
    sets = ", ".join(f'"{name}" = ' + (f't."{name}" + ' if add else "") + f'v."{name}"' for name in columns)
    return f'UPDATE "{table}" t SET {sets} FROM {_rows(table)} v WHERE {_same_key(key)}'.encode()


@cache
def discard(table: str, discarded: str, column: str) -> bytes:
    return (
        f'WITH gone AS (DELETE FROM "{table}" WHERE "{column}" = %s RETURNING *)'
        f' INSERT INTO "{discarded}" SELECT gone.*, %s::bigint FROM gone'
    ).encode()


@cache
def forget(discarded: str) -> bytes:
    return f'DELETE FROM "{discarded}" WHERE deletion = %s'.encode()


@cache
def recover(table: str, discarded: str) -> bytes:
    # By way of JSON, because there is no other word for «all columns but one».
    return (
        f'WITH back AS (DELETE FROM "{discarded}" WHERE deletion = %s RETURNING *)'
        f' INSERT INTO "{table}" SELECT r.* FROM back, json_populate_record(NULL::"{table}", to_json(back)) r'
    ).encode()


def _rows(table: str) -> str:
    return f'json_populate_recordset(NULL::"{table}", %s::json)'


def _same_key(key: tuple[str, ...]) -> str:
    return " AND ".join(f't."{name}" = v."{name}"' for name in key)
