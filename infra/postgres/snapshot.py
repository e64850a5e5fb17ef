"""Reading at length, all of it as of one moment."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString

from psycopg import Connection
from psycopg.rows import DictRow

from infra.postgres.database import Database, typed_errors

FIRST_ROWS, MOST_ROWS = 20, 2_000
BATCH_LETTERS = 1_000_000
"""Rows are fetched by about so much text: some are short, and some hold thousands of shapes."""


class Snapshot:
    """What the database held when it was taken, whatever is changed meanwhile. For one thread."""

    def __init__(self, connection: Connection[DictRow]) -> None:
        self._connection = connection
        self._names = itertools.count()

    def query(self, statement: LiteralString | bytes, params: Any = None) -> list[DictRow]:
        with typed_errors():
            return self._connection.execute(statement, params).fetchall()

    def stream(self, statement: LiteralString | bytes, params: Any = None) -> Iterator[DictRow]:
        """The rows as they are asked for: the server keeps the rest. Several streams may be read in turn."""
        with typed_errors(), self._connection.cursor(f"stream_{next(self._names)}") as cursor:
            cursor.execute(statement, params)
            count = FIRST_ROWS
            while rows := cursor.fetchmany(count):
                yield from rows
                letters = sum(len(value) for row in rows for value in row.values() if isinstance(value, str))
                count = max(1, min(MOST_ROWS, BATCH_LETTERS * len(rows) // max(letters, 1)))


@contextmanager
def snapshot(database: Database) -> Iterator[Snapshot]:
    """Takes one. It keeps a connection of the pool, and dead rows from being cleaned away, as long as it is open."""
    with database.connection() as connection, connection.transaction():
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        yield Snapshot(connection)
