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
from infra.postgres.connection import NETWORK, Greeting, PatientConnection, check

SEARCH_PATH = "log, public"
"""For those who need no projections. Their tables too are named without a schema, so that the same statements serve
whatever version or copy of them the connection's search path leads to.
"""


POOL_SECONDS = 4.0
"""How long somebody waits for a connection of the pool."""


class Database:
    """`url`: anything libpq takes. `pool_size`: connections at most. `search_path`: where unqualified names lead.
    `read_only`: PostgreSQL refuses to change anything.

    It outlives every failure of the server. While that is away or hangs everybody is told so within seconds; a second
    after it is there again everybody is served.
    """

    def __init__(
        self,
        url: str,
        pool_size: int = 10,
        *,
        timeout: float = POOL_SECONDS,
        search_path: str = SEARCH_PATH,
        read_only: bool = False,
    ) -> None:
        self.url = url
        self._options = _options(search_path, read_only=read_only)
        self._greeting = Greeting(url)
        self._pool: ConnectionPool[PatientConnection] = ConnectionPool(
            url,
            min_size=1,
            max_size=pool_size,
            open=False,
            timeout=timeout,
            # Pauses between its attempts grow: who gives up early begins anew, with a short one, when somebody asks.
            reconnect_timeout=POOL_SECONDS / 2,
            kwargs=self._options,
            connection_class=PatientConnection,
            configure=self._introduce,
            check=check,
        )

    def open(self) -> Database:
        self._pool.open()
        return self

    def close(self) -> None:
        self._pool.close()

    @contextmanager
    def connection(self) -> Iterator[Connection[DictRow]]:
        """A pooled connection in autocommit mode. Raises Unavailable when the database does not answer in time."""
        with typed_errors():
            self._greeting.expect()
            try:
                with self._pool.connection() as connection:
                    yield connection
            except PoolTimeout:
                self._greeting.ask()  # so that whoever comes next need not wait as long
                raise

    def query(self, statement: LiteralString | bytes, params: Any = None) -> list[DictRow]:
        with self.connection() as connection:
            return connection.execute(statement, params).fetchall()

    def query_one(self, statement: LiteralString | bytes, params: Any = None) -> DictRow | None:
        with self.connection() as connection:
            return connection.execute(statement, params).fetchone()

    def connect(self) -> PatientConnection:
        """A connection outside the pool, in autocommit mode; the caller closes it. Raises psycopg's OperationalError
        within seconds.
        """
        self._greeting.expect()
        connection = PatientConnection.connect(self.url, **self._options)
        self._introduce(connection)
        return connection

    def _introduce(self, connection: PatientConnection) -> None:
        connection.greeting = self._greeting


@contextmanager
def typed_errors() -> Iterator[None]:
    """Turns a connection that is lost or can't be had, or a server that can't go on, into Unavailable."""
    try:
        yield
    except psycopg.errors.DiskFull as error:
        raise Unavailable(f"PostgreSQL's disk is full: {error.diag.message_primary}") from error
    except (PoolTimeout, psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise Unavailable(f"PostgreSQL does not answer: {error}") from error


def _options(search_path: str, *, read_only: bool) -> dict[str, Any]:
    settings = {"search_path": search_path.replace(" ", ""), "timezone": "UTC", "synchronous_commit": "on"}
    if read_only:
        settings["default_transaction_read_only"] = "on"
    return {
        "autocommit": True,
        "row_factory": dict_row,
        "options": " ".join(f"-c {name}={value}" for name, value in settings.items()),
        **NETWORK,
    }


__all__ = ["SEARCH_PATH", "Cursor", "Database", "DictRow"]
