"""One PostgreSQL database: a pool for reads, connections of their own for those who keep one."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, LiteralString

import psycopg
from psycopg import Connection, Cursor
from psycopg.rows import DictRow, dict_row
from psycopg_pool import ConnectionPool, PoolTimeout

from domain.errors import Unavailable

SEARCH_PATH = "log, public"
"""For those who need no projections. Their tables too are named without a schema, so that the same statements serve
whatever version or copy of them the connection's search path leads to.
"""


class Database:
    """`url`: anything libpq takes. `pool_size`: connections at most. `search_path`: where unqualified names lead."""

    def __init__(self, url: str, pool_size: int = 10, *, timeout: float = 5.0, search_path: str = SEARCH_PATH) -> None:
        self.url = url
        self._search_path = search_path
        self._pool: ConnectionPool[Connection[DictRow]] = ConnectionPool(
            url,
            min_size=1,
            max_size=pool_size,
            open=False,
            timeout=timeout,
            kwargs=_options(search_path),
            connection_class=Connection[DictRow],
        )

    def open(self) -> Database:
        self._pool.open()
        return self

    def close(self) -> None:
        self._pool.close()

    @contextmanager
    def connection(self) -> Iterator[Connection[DictRow]]:
        """A pooled connection in autocommit mode. Raises Unavailable when the database does not answer in time."""
        try:
            with self._pool.connection() as connection:
                yield connection
        except (PoolTimeout, psycopg.OperationalError, psycopg.InterfaceError) as error:
            raise Unavailable(f"PostgreSQL does not answer: {error}") from error

    def query(self, statement: LiteralString | bytes, params: Any = None) -> list[DictRow]:
        with self.connection() as connection:
            return connection.execute(statement, params).fetchall()

    def query_one(self, statement: LiteralString | bytes, params: Any = None) -> DictRow | None:
        with self.connection() as connection:
            return connection.execute(statement, params).fetchone()

    def connect(self) -> Connection[DictRow]:
        """A connection outside the pool, in autocommit mode; the caller closes it."""
        return Connection[DictRow].connect(self.url, **_options(self._search_path))


def _options(search_path: str) -> dict[str, Any]:
    return {
        "autocommit": True,
        "row_factory": dict_row,
        "options": f"-c search_path={search_path.replace(' ', '')} -c timezone=UTC -c synchronous_commit=on",
        "connect_timeout": 5,
    }


__all__ = ["SEARCH_PATH", "Cursor", "Database", "DictRow"]
