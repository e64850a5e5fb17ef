"""Questions to ClickHouse, asked from many threads, none of which may wait or read for long."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import structlog
from clickhouse_connect.driver.client import Client

from domain.errors import Unavailable
from infra.clickhouse.client import ClickHouseRefused, connect, typed_errors

log = structlog.get_logger(__name__)

AT_ONCE = 4
"""Questions of one process; whoever asks beyond that waits."""
WAIT_SECONDS = 10.0
QUESTION_SECONDS = 10
SILENCE_SECONDS = QUESTION_SECONDS + 2.0
"""ClickHouse ends what takes too long itself; one that says nothing for so long hangs."""
SETTINGS: dict[str, Any] = {
    "readonly": 2,  # 1 would refuse the other settings
    "max_execution_time": QUESTION_SECONDS,
    "max_result_rows": 50_000,
    "result_overflow_mode": "throw",
}
NO_TABLES = frozenset({60, 81})
"""ClickHouse's numbers for an unknown table and an unknown database."""


class Found(NamedTuple):
    """What was asked for: names of columns, and rows."""

    columns: list[str]
    rows: list[list[Any]]


class ClickHouseReader:
    """Connects when it is first asked. Statements are the program's own; what varies goes in as parameters."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._client: Client | None = None
        self._connecting = threading.Lock()
        self._turns = threading.BoundedSemaphore(AT_ONCE)

    def ask(self, statement: str, parameters: Mapping[str, Any]) -> Found:
        """Raises Unavailable: nobody answers, there is nothing to read yet, or it would take too long."""
        with self._turn(), _refusals_told(), typed_errors():
            result = self._connected().query(statement, parameters=dict(parameters), settings=SETTINGS)
        return Found(list(result.column_names), [list(row) for row in result.result_rows])

    def close(self) -> None:
        if self._client is not None:
            self._client.close()

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._turns.acquire(timeout=WAIT_SECONDS):
            raise Unavailable("ClickHouse is busy. Try again later.")
        try:
            yield
        finally:
            self._turns.release()

    def _connected(self) -> Client:
        with self._connecting:
            if self._client is None:
                self._client = connect(self._url, SILENCE_SECONDS)
            return self._client


@contextmanager
def _refusals_told() -> Iterator[None]:
    """What ClickHouse says of a statement is for the log, not for whoever looks at a chart."""
    try:
        yield
    except ClickHouseRefused as error:
        if error.code in NO_TABLES:
            raise Unavailable("ClickHouse has no events yet: `annals forward` makes its tables.") from error
        log.warning("ClickHouse refused a question", code=error.code, error=str(error)[:500])
        raise Unavailable("ClickHouse could not answer this: see the server's log.") from error
    except Unavailable as error:
        log.warning("ClickHouse does not answer", error=error.message[:500])
        raise Unavailable("ClickHouse does not answer.") from error
