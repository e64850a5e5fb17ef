"""What a worker thread does for one request: from the bytes of a statement to its end."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import chain

from infra.clickhouse.access import check_database, check_reader, check_settings, check_writer
from infra.clickhouse.blocks import LARGEST, unblocked
from infra.clickhouse.compression import decoded
from infra.clickhouse.engine import Connection, Engine, Result, escaped
from infra.clickhouse.errors import Code, QueryFailed
from infra.clickhouse.external import create
from infra.clickhouse.incoming import gathered
from infra.clickhouse.killing import Kill, read_kill
from infra.clickhouse.limits import Limits
from infra.clickhouse.request import Request
from infra.clickhouse.sessions import Sessions
from infra.clickhouse.statement import Insert, NeedMore, first_word, output_clause, split_insert
from infra.clickhouse.users import WRITER, Role, User
from infra.clickhouse.whole_parts import require_whole


@dataclass(eq=False)
class Progress:
    """What the event loop may know about a statement while it runs. `mark` is its name for `Engine.kill`."""

    mark: str
    format: str = ""
    """Of the result; empty for a statement that has none."""
    content_type: str = ""
    cancelled: bool = False
    started: float = field(default_factory=time.monotonic)
    result: Result = field(default_factory=Result)


class Executor:
    """Runs statements on an engine, each on a connection of its own. Safe for many threads."""

    def __init__(self, engine: Engine, limits: Limits, kill: Callable[[Kill, User], list[str]]) -> None:
        """`kill` stops queries and returns whose they were."""
        self._engine, self._limits, self._kill = engine, limits, kill
        self._sessions = Sessions()
        self._active: set[Progress] = set()

    def execute(self, request: Request, user: User, chunks: Iterable[bytes], pipe: int, progress: Progress) -> None:
        """Runs the statement of `request` and its body; a result goes into `pipe`. Raises QueryFailed."""
        self._active.add(progress)
        try:
            self._execute(request, user, chunks, pipe, progress)
        finally:
            self._active.discard(progress)

    def end(self) -> None:
        """Stops the queries that still run; returns when no statement does."""
        while active := list(self._active):
            for progress in active:
                self.cancel(progress)
            time.sleep(0.05)

    def look(self, progress: Progress) -> Result | None:
        """How far a running query is; None when the engine does not have it."""
        return self._engine.progress(progress.mark)

    def cancel(self, progress: Progress) -> None:
        """Stops this query as soon as it can be. Once is not enough when it is a moment away from its start."""
        progress.cancelled = True
        self._engine.kill(progress.mark)

    def _execute(self, request: Request, user: User, chunks: Iterable[bytes], pipe: int, progress: Progress) -> None:
        check_database(user.role, request.database)
        check_settings(user.role, request.settings)
        pieces = self._bounded(self._decoded(request, user, chunks))
        text, insert = self._head(request.query.encode(), pieces)
        with self._engine.connect() as connection:
            if insert is None or (insert.format == "Values" and request.params):
                sql = self._whole(text, pieces).decode(errors="replace")
                self._run(connection, request, user, sql, pipe, progress)
            elif user.role is Role.READER:
                message = f"Cannot execute query in readonly mode: this INSERT is for user {WRITER}, with its password"
                raise QueryFailed(Code.READONLY, message)
            else:
                check_writer(connection, f"{insert.head}{insert.settings} FORMAT {insert.format}")
                self._prepare(connection, request, user.role)
                self._insert(connection, insert, chain([text[insert.data_start :]], pieces), progress)

    def _decoded(self, request: Request, user: User, chunks: Iterable[bytes]) -> Iterator[bytes]:
        pieces = decoded(chunks, request.content_encoding)
        largest = self._limits.query_text if user.role is Role.READER else LARGEST
        return unblocked(pieces, largest) if request.blocks else pieces

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
        self, connection: Connection, request: Request, user: User, sql: str, pipe: int, progress: Progress
    ) -> None:
        if not sql.strip(" \t\r\n;"):
            raise QueryFailed(Code.SYNTAX_ERROR, "Syntax error: Empty query")
        if kill := read_kill(connection, sql, request.params):
            self._report_kill(connection, request, kill, user, pipe, progress)
            return
        if user.role is Role.READER:
            check_reader(connection, sql, request.params)
            has_result = True
        else:
            has_result = check_writer(connection, sql)
        self._prepare(connection, request, user.role)
        _require_wanted(progress)
        if has_result:
            self._answer(connection, request, sql, request.params, pipe, progress)
            return
        started = time.time()
        progress.result = connection.run(sql, request.params)
        if progress.result.written_rows:
            self._require_whole(started)
        if request.session and first_word(sql) in ("SET", "USE"):
            self._sessions.remember(request.session.id, sql)

    def _insert(self, connection: Connection, insert: Insert, data: Iterable[bytes], progress: Progress) -> None:
        with gathered(data, self._engine.folder, self._limits.free_space) as file:
            _require_wanted(progress)
            started = time.time()
            progress.result = connection.insert(insert, file)
        self._require_whole(started)

    def _require_whole(self, since: float) -> None:
        with self._engine.connect() as connection:  # of its own: without the request's settings
            require_whole(connection, since)

    def _answer(
        self,
        connection: Connection,
        request: Request,
        sql: str,
        params: Mapping[str, str],
        pipe: int,
        progress: Progress,
    ) -> None:
        progress.format = output_clause(sql).format or request.default_format
        progress.content_type = self._engine.content_type(progress.format)
        progress.result = connection.write_to(pipe, progress.mark, sql, request.default_format, params)

    def _report_kill(
        self, connection: Connection, request: Request, kill: Kill, user: User, pipe: int, progress: Progress
    ) -> None:
        killed = self._kill(kill, user)
        params = {"query_id": escaped(kill.query_id), "user": "".join(killed[:1]), "found": str(bool(killed)).lower()}
        self._answer(connection, request, kill.report, params, pipe, progress)

    def _prepare(self, connection: Connection, request: Request, role: Role) -> None:
        """Session, database, settings, external tables, right to write: in this order, and after the checks, to leave
        those alone.
        """
        if request.session and role is Role.WRITER:
            session = request.session
            inherited = self._sessions.enter(session.id, time.monotonic(), session.timeout, session.must_exist)
            for statement in inherited:
                connection.run(statement)
        if request.database:
            connection.use(request.database)
        connection.set(request.settings)
        for table in request.external:
            create(connection, table, self._engine.folder)
        if role is Role.READER:
            connection.make_read_only()


def _require_wanted(progress: Progress) -> None:
    if progress.cancelled:
        raise QueryFailed(Code.QUERY_WAS_CANCELLED, "Query was cancelled: the client went away")
