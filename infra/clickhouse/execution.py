"""What a worker thread does for one request: from the bytes of a statement to its end."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import chain

from infra.clickhouse.access import WRITER, Role, check_database, check_reader, check_writer
from infra.clickhouse.compression import decoded
from infra.clickhouse.engine import Connection, Engine, Result
from infra.clickhouse.errors import Code, QueryFailed
from infra.clickhouse.limits import Limits
from infra.clickhouse.request import Request
from infra.clickhouse.sessions import Sessions
from infra.clickhouse.statement import Insert, NeedMore, first_word, output_clause, split_insert


@dataclass(eq=False)
class Progress:
    """What the event loop may know about a statement while it runs. `mark` is its name for `Engine.kill`."""

    mark: str
    format: str = ""
    """Of the result; empty for a statement that has none."""
    cancelled: bool = False
    started: float = field(default_factory=time.monotonic)
    result: Result = field(default_factory=Result)


class Executor:
    """Runs statements on an engine, each on a connection of its own. Safe for many threads."""

    def __init__(self, engine: Engine, limits: Limits) -> None:
        self._engine, self._limits = engine, limits
        self._sessions = Sessions()
        self._active: set[Progress] = set()

    def execute(self, request: Request, role: Role, chunks: Iterable[bytes], pipe: int, progress: Progress) -> None:
        """Runs the statement of `request` and its body; a result goes into `pipe`. Raises QueryFailed."""
        self._active.add(progress)
        try:
            self._execute(request, role, chunks, pipe, progress)
        finally:
            self._active.discard(progress)

    def end(self) -> None:
        """Stops the queries that still run; returns when no statement does."""
        while active := list(self._active):
            for progress in active:
                self.cancel(progress)
            time.sleep(0.05)

    def cancel(self, progress: Progress) -> None:
        """Stops this query as soon as it can be. Once is not enough when it is a moment away from its start."""
        progress.cancelled = True
        self._engine.kill(progress.mark)

    def _execute(self, request: Request, role: Role, chunks: Iterable[bytes], pipe: int, progress: Progress) -> None:
        check_database(role, request.database)
        pieces = self._bounded(decoded(chunks, request.content_encoding))
        text, insert = self._head(request.query.encode(), pieces)
        with self._engine.connect() as connection:
            if insert is None or (insert.format == "Values" and request.params):
                sql = self._whole(text, pieces).decode(errors="replace")
                self._run(connection, request, role, sql, pipe, progress)
            elif role is Role.READER:
                message = f"Cannot execute query in readonly mode: this INSERT is for user {WRITER}, with its password"
                raise QueryFailed(Code.READONLY, message)
            else:
                check_writer(connection, f"{insert.head} FORMAT {insert.format}")
                self._prepare(connection, request, role)
                data = chain([text[insert.data_start :]], pieces)
                progress.result = connection.insert(insert.head, insert.format, filter(None, data))

    def _bounded(self, pieces: Iterator[bytes]) -> Iterator[bytes]:
        size = 0
        for piece in pieces:
            if (size := size + len(piece)) > self._limits.insert_body:
                text = f"The body is larger than {self._limits.insert_body} bytes; insert in several requests"
                raise QueryFailed(Code.QUERY_IS_TOO_LARGE, text)
            yield piece

    def _head(self, query: bytes, pieces: Iterator[bytes]) -> tuple[bytes, Insert | None]:
        """As much of the statement as it takes to see whether it is an INSERT with data, and which."""
        text = query if query.endswith(b"\n") or not query else query + b"\n"
        while True:
            try:
                return text, split_insert(text.decode("latin-1"), complete=False)
            except NeedMore:
                piece = next(pieces, b"")
            if not piece:
                return text, split_insert(text.decode("latin-1"), complete=True)
            text = self._short(text) + piece  # of which most may be data

    def _whole(self, text: bytes, pieces: Iterator[bytes]) -> bytes:
        for piece in pieces:
            text = self._short(text + piece)
        return self._short(text)

    def _short(self, text: bytes) -> bytes:
        if len(text) > self._limits.query_text:
            raise QueryFailed(Code.QUERY_IS_TOO_LARGE, f"A statement can have {self._limits.query_text} bytes")
        return text

    def _run(
        self, connection: Connection, request: Request, role: Role, sql: str, pipe: int, progress: Progress
    ) -> None:
        if not sql.strip(" \t\r\n;"):
            raise QueryFailed(Code.SYNTAX_ERROR, "Syntax error: Empty query")
        if role is Role.READER:
            check_reader(connection, sql, request.params)
            has_result = True
        else:
            has_result = check_writer(connection, sql)
        self._prepare(connection, request, role)
        if progress.cancelled:
            raise QueryFailed(Code.QUERY_WAS_CANCELLED, "Query was cancelled: the client went away")
        if has_result:
            progress.format = output_clause(sql).format or request.default_format
            progress.result = connection.write_to(pipe, progress.mark, sql, request.default_format, request.params)
            return
        progress.result = connection.run(sql, request.params)
        if request.session and first_word(sql) in ("SET", "USE"):
            self._sessions.remember(request.session.id, sql)

    def _prepare(self, connection: Connection, request: Request, role: Role) -> None:
        """Session, database, settings, right to write: in this order, and after the checks, to leave those alone."""
        if request.session and role is Role.WRITER:
            session = request.session
            inherited = self._sessions.enter(session.id, time.monotonic(), session.timeout, session.must_exist)
            for statement in inherited:
                connection.run(statement)
        if request.database:
            connection.use(request.database)
        connection.set(request.settings)
        if role is Role.READER:
            connection.make_read_only()
