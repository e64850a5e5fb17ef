"""What a worker thread does for one request: from the bytes of a statement to its end."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import chain

from infra.clickhouse.access import WRITER, Role, check_database, check_reader, check_writer
from infra.clickhouse.compression import decoded
from infra.clickhouse.engine import Connection, Engine, Result
from infra.clickhouse.errors import Code, QueryFailed
from infra.clickhouse.limits import Limits
from infra.clickhouse.request import Request
from infra.clickhouse.sessions import Sessions
from infra.clickhouse.statement import Insert, NeedMore, output_clause, split_insert, tokens


@dataclass
class Progress:
    """What the event loop may know about a statement while it runs. `mark` is its name for `Engine.kill`."""

    mark: str
    format: str = ""
    has_output: bool = False
    started: float = field(default_factory=time.monotonic)
    result: Result = field(default_factory=Result)


@dataclass(frozen=True)
class Executor:
    """Runs statements on an engine, each on a connection of its own. Safe for many threads."""

    engine: Engine
    limits: Limits
    sessions: Sessions = field(default_factory=Sessions)

    def execute(self, request: Request, role: Role, chunks: Iterable[bytes], pipe: int, progress: Progress) -> None:
        """Runs the statement of `request` and its body; output goes into `pipe`. Raises QueryFailed."""
        check_database(role, request.database)
        pieces = self._bounded(decoded(chunks, request.content_encoding))
        text, insert, rest = self._statement(request.query, pieces)
        with self.engine.connect() as connection:
            if insert is None:
                self._run(connection, request, role, text.decode(errors="replace"), pipe, progress)
            elif role is Role.READER:
                raise QueryFailed(Code.READONLY, f"Cannot execute query in readonly mode: INSERT is for user {WRITER} only")
            elif insert.format == "Values" and request.params:  # parameters stand in the data, too
                sql = self._short(text, rest).decode(errors="replace")
                self._run(connection, request, role, sql, pipe, progress)
            else:
                check_writer(connection, f"{insert.head} FORMAT {insert.format}")
                self._prepare(connection, request, role)
                data = chain([text[insert.data_start :]], rest)
                progress.result = connection.insert(insert.head, insert.format, filter(None, data))

    def _statement(self, query: str, pieces: Iterator[bytes]) -> tuple[bytes, Insert | None, Iterator[bytes]]:
        """The text so far, the head of the INSERT in it, and what follows; the whole text if it is no INSERT with data."""
        text = query.encode() + b"\n" if query else b""
        while True:
            try:
                return text, split_insert(text.decode("latin-1"), complete=False), iter(pieces)
            except NeedMore:
                pass
            ...

    def _run(
        self, connection: Connection, request: Request, role: Role, sql: str, pipe: int, progress: Progress
    ) -> None: ...
