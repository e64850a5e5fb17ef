"""One transaction in two round trips: what is to be done is queued and sent together.

psycopg's own pipeline sends every statement by itself and looks for answers each time; at some eight small statements a
batch that is most of a writer's time. This keeps to libpq's pipeline mode, through psycopg's `pq`.
"""

from __future__ import annotations

import select
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from psycopg.adapt import PyFormat, Transformer
from psycopg.errors import OperationalError, error_from_result
from psycopg.pq import ExecStatus
from psycopg.pq.abc import PGresult

from infra.postgres.connection import PATIENCE_SECONDS, PatientConnection

PATIENCE_MILLISECONDS = 1
FAILED = (ExecStatus.FATAL_ERROR, ExecStatus.PIPELINE_ABORTED, ExecStatus.BAD_RESPONSE)


class Writer:
    """Transactions on a connection that is used for nothing else. After an error the connection is of no more use."""

    def __init__(self, connection: PatientConnection) -> None:
        self.connection = connection
        self._pg = connection.pgconn
        self._transformer = Transformer(connection)
        self._names: dict[tuple[bytes, tuple[int, ...] | None], bytes] = {}
        self._pending = 0
        # The same few statements again and again, whose best plan does not depend on their values. Left to itself
        # PostgreSQL plans them anew each time, because it cannot know how long the lists in them are.
        connection.execute("SET plan_cache_mode = force_generic_plan")
        self._pg.enter_pipeline_mode()
        self._readable = select.poll()
        self._readable.register(self._pg.socket, select.POLLIN)

    def execute(self, statement: bytes, params: Sequence[Any] = ()) -> None:
        """Queues a statement; `%s` and `%b` (binary) stand for its parameters."""
        text, formats = _parsed(statement)
        values = self._transformer.dump_sequence(params, formats)
        # Psycopg chooses types by values: lists of small numbers are smallint[], and what is prepared for those takes
        # no larger ones.
        types = self._transformer.types
        name = self._names.get((statement, types))
        if name is None:
            name = self._names[statement, types] = b"annals%d" % len(self._names)
            self._pg.send_prepare(name, text, types)
            self._pending += 1
        self._pg.send_query_prepared(name, values, self._transformer.formats)
        self._pending += 1

    def fetch(self, waiting: Callable[[], None]) -> list[tuple[bytes | None, ...]]:
        """Sends what is queued; the rows of the last statement, as text. Calls `waiting` when they take long. Raises
        what any of them raises.
        """
        self._pg.send_flush_request()
        self._send()
        if not self._readable.poll(PATIENCE_MILLISECONDS):
            waiting()
        result = self._answers()
        assert result is not None
        return [
            tuple(result.get_value(row, column) for column in range(result.nfields)) for row in range(result.ntuples)
        ]

    def sync(self, waiting: Callable[[], None]) -> None:
        """Sends what is queued, calls `waiting`, and waits until it is done. Raises what any of it raises."""
        self._pg.pipeline_sync()
        self._send()
        waiting()
        self._answers()
        while (result := self._next()) is None or result.status != ExecStatus.PIPELINE_SYNC:
            _check(result)

    def _answers(self) -> PGresult | None:
        """Of everything queued, in order; returns the last."""
        last = None
        while self._pending:
            result = self._next()
            if result is not None:
                _check(result)
                last = result
            else:
                self._pending -= 1
        return last

    def _send(self) -> None:
        while self._pg.flush():
            self._wait(select.POLLIN | select.POLLOUT)
        self._readable.modify(self._pg.socket, select.POLLIN)

    def _next(self) -> PGresult | None:
        """The next result; None at the end of those of a statement."""
        while self._pg.is_busy():
            self._wait(select.POLLIN)
        return self._pg.get_result()

    def _wait(self, events: int) -> None:
        self._readable.modify(self._pg.socket, events)
        while not self._readable.poll(PATIENCE_SECONDS * 1_000):
            self.connection.look()
        self._pg.consume_input()


def _check(result: PGresult | None) -> None:
    if result is not None and result.status in FAILED:
        if result.status == ExecStatus.FATAL_ERROR:
            raise error_from_result(result)
        raise OperationalError("the transaction was given up")


@cache
def _parsed(statement: bytes) -> tuple[bytes, list[PyFormat]]:
    """The statement with `$1`, `$2` … for its placeholders, and their formats."""
    first, *others = statement.split(b"%")
    text = first + b"".join(b"$%d%s" % (number, other[1:]) for number, other in enumerate(others, 1))
    return text, [PyFormat.BINARY if other.startswith(b"b") else PyFormat.TEXT for other in others]
