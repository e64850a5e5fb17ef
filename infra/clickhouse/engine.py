"""The chdb engine of this process: one data folder, and connections that run statements on it.

Facts about chdb 4.4 that this module rests on:
- A process has one engine. Connections to it are cheap (0.2 ms, 100 KB), run in parallel and keep their own settings;
  one connection runs one statement at a time.
- `query()` would hold a whole result in memory, and streamed blocks are whole documents of their own (a header for each
  block). With `INTO OUTFILE` the engine writes one proper document of any format, block by block: here into a pipe.
- `send_insert()` and `insert_done()` say nothing of a block that is refused as it is written (by a constraint, a view,
  a limit): its rows count as written, and are not there. An INSERT `FROM INFILE` fails.
- The folder is locked by the kernel for as long as the process lives, so a kill -9 leaves nothing to clean up.
"""

from __future__ import annotations

import fcntl
import os
import re
import threading
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import repeat
from pathlib import Path
from typing import Any, Final, TextIO

from domain.errors import Unavailable
from infra.clickhouse.configuration import write_configuration
from infra.clickhouse.errors import Code, QueryFailed, from_engine
from infra.clickhouse.limits import Limits
from infra.clickhouse.statement import Insert, output_clause

DATABASE: Final = "cvat"
"""The database that statements mean when they name none."""

_SETTING: Final = re.compile(r"[a-z][a-zA-Z0-9_]*")
_FORMAT: Final = re.compile(r"\w+")
_FILE: Final = re.compile(r": \(in file/uri /dev/fd/\d+\)|: While executing File: data for INSERT was parsed from file")
"""What errors say of the file that the data of an INSERT is in: its client knows nothing of one."""
_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


@dataclass(frozen=True)
class Result:
    """What a statement read, wrote and returned."""

    read_rows: int = 0
    read_bytes: int = 0
    written_rows: int = 0
    written_bytes: int = 0
    result_rows: int = 0
    result_bytes: int = 0
    total_rows: int = 0
    """How many are to be read in all, as far as the engine knows."""


@dataclass(frozen=True)
class Analysis:
    """The engine's own reading of a statement: `kind` is READ_ONLY, MUTATING, MUTATING_GLOBAL, CONTROL or UNKNOWN."""

    kind: str
    statements: int


class Connection:
    """One connection to the engine. Not for several threads at a time."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def close(self) -> None:
        self._raw.close()

    def __enter__(self) -> Connection:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def use(self, database: str) -> None:
        """Makes `database` the one that bare table names mean."""
        self.run("USE {name:Identifier}", {"name": escaped(database)})

    def set(self, settings: Mapping[str, str]) -> None:
        """Changes settings for this connection, as far as configuration.py lets clients change them."""
        for name in settings:
            if not _SETTING.fullmatch(name):
                raise QueryFailed(Code.UNKNOWN_SETTING, f"Unknown setting {name!r}")
        if settings:
            self.run("SET " + ", ".join(f"{name} = {_quoted(value)}" for name, value in settings.items()))

    def make_read_only(self) -> None:
        """From here on this connection can only read; the engine does not let anybody take it back."""
        self.run("SET readonly = 2")

    def analyze(self, sql: str) -> Analysis:
        """What the statement would do, without doing it."""
        report = _typed(lambda: self._raw.classify_query(sql))
        return Analysis(report["query_class"].name, report["statement_count"])

    def run(self, sql: str, params: Mapping[str, str] | None = None) -> Result:
        """Runs a statement whose result nobody wants."""
        return _result(_typed(lambda: self._raw.query(sql, "Null", params=dict(params or {}))))

    def value(self, sql: str, params: Mapping[str, str] | None = None) -> str:
        """The result of a short query as text, unescaped, without the last newline.

        Text parameters are given as they are: this method escapes them.
        """
        values = {name: escaped(value) for name, value in (params or {}).items()}
        answer = _typed(lambda: self._raw.query(sql, "TSVRaw", params=values))
        return bytes(answer.bytes()).decode().removesuffix("\n")

    def write_to(self, descriptor: int, mark: str, sql: str, default_format: str, params: Mapping[str, str]) -> Result:
        """Runs a query and writes its result to an open file descriptor, a pipe as a rule, block by block.

        The format is that of the statement's FORMAT clause, else `default_format`. `mark` makes the running query known
        to `Engine.kill`. A reader of the pipe that goes away does not stop the query: kill it.
        """
        output = output_clause(sql)
        if not _FORMAT.fullmatch(default_format):
            raise QueryFailed(Code.UNKNOWN_FORMAT, f"Unknown format {default_format!r}")
        clause = f" INTO OUTFILE '/dev/fd/{descriptor}' TRUNCATE /* {mark} */ "
        clause += f"FORMAT {default_format}" if output.format is None else ""
        piped = f"{sql[: output.at]}\n{clause}\n{sql[output.at : output.end]}"
        if self.analyze(piped) != Analysis("CONTROL", 1):
            # Without the clause the engine would gather the whole result in memory.
            raise QueryFailed(Code.SYNTAX_ERROR, "Syntax error: cannot find where the result of this statement goes")
        return _result(_typed(lambda: self._raw.query(piped, "TSV", params=dict(params))))

    def insert(self, insert: Insert, descriptor: int) -> Result:
        """Inserts all data in an open file, of any input format. When it returns, the rows are in the table and on
        disk. When it raises, blocks of a million rows that were complete before stay, as on a server.
        """
        source = f"FROM INFILE '/dev/fd/{descriptor}' COMPRESSION 'none'"
        try:
            return self.run(f"{insert.head}\n{source}\n{insert.settings} FORMAT {insert.format}")
        except QueryFailed as error:
            raise QueryFailed(error.code, _FILE.sub("", error.message), error.name) from None


class Engine:
    """The engine on `folder`; at most one per process, and one process per folder.

    Raises Unavailable when another process has the folder, or chdb cannot start on it.
    """

    def __init__(self, folder: Path, limits: Limits | None = None) -> None:
        folder = folder.resolve()
        if not re.fullmatch(r"[^?&#%\s]+", str(folder)):
            raise Unavailable(
                f"The folder of the embedded ClickHouse cannot have blanks or ? & # % in its name: {folder}"
            )
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = folder
        self._lock = _locked(folder)
        self._path = folder / "engine"
        self._guard = threading.Lock()
        try:
            self._main = self._start(folder / "configuration", limits or Limits())
        except BaseException:
            self._lock.close()
            raise
        self._main.run(f"CREATE DATABASE IF NOT EXISTS {DATABASE}")
        self.version = self._main.value("SELECT version()")
        self.timezone = self._main.value("SELECT timezone()")
        types = self._main.value("SELECT name, content_type FROM system.formats WHERE is_output")
        self._content_types = {name.lower(): kind for name, kind in map(str.split, types.splitlines(), repeat("\t"))}

    def _start(self, configuration: Path, limits: Limits) -> Connection:
        # Importing chdb loads 550 MB of code and starts an engine: only a process that wants one pays for it.
        from chdb import _chdb

        self._open: Callable[..., Any] = vars(_chdb)["connect"]
        try:
            with Connection(self._open()) as memory:
                settings = memory.value("SELECT name FROM system.settings").splitlines()
            server = write_configuration(configuration, settings, limits)
            return Connection(self._open(f"{self._path}?config-file={server}"))
        except (RuntimeError, QueryFailed, OSError) as error:
            raise Unavailable(f"The embedded ClickHouse cannot start on {self._path}: {error}") from error

    def content_type(self, format_name: str) -> str:
        """The Content-Type of a result in this format, as a server names it."""
        return self._content_types.get(format_name.lower(), "text/plain; charset=UTF-8")

    def connect(self) -> Connection:
        """A new connection; `DATABASE` is its database."""
        return Connection(_typed(lambda: self._open(f"{self._path}?database={DATABASE}")))

    def kill(self, mark: str) -> None:
        """Stops the query that runs under this mark, if it does."""
        with self._guard:
            self._main.run("KILL QUERY WHERE position(query, {mark:String}) > 0 ASYNC", {"mark": f"/* {mark} */"})

    def progress(self, mark: str) -> Result | None:
        """What the query that runs under this mark has read so far; None when none does."""
        columns = "read_rows, read_bytes, total_rows_approx"
        query = f"SELECT {columns} FROM system.processes WHERE position(query, {{mark:String}}) > 0"  # noqa: S608
        with self._guard:
            row = self._main.value(query, {"mark": f"/* {mark} */"}).split()
        return Result(read_rows=int(row[0]), read_bytes=int(row[1]), total_rows=int(row[2])) if row else None

    def close(self) -> None:
        """Shuts the engine down. All other connections must be closed before."""
        with self._guard:
            self._main.close()
            self._lock.close()


def escaped(text: str) -> str:
    """`text` as the value of a query parameter of type String or Identifier."""
    return text.translate(_ESCAPES)


def new_mark() -> str:
    """A mark for `Connection.write_to`."""
    return f"annals:{uuid.uuid4()}"


def _locked(folder: Path) -> TextIO:
    lock = (folder / "lock").open("a")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        lock.close()
        raise Unavailable(f"Another process is using the ClickHouse data in {folder}") from error
    os.set_inheritable(lock.fileno(), False)
    return lock


def _typed(call: Callable[[], Any]) -> Any:
    try:
        return call()
    except RuntimeError as error:
        raise from_engine(error) from None


def _result(answer: Any) -> Result:
    return Result(
        read_rows=answer.storage_rows_read(),
        read_bytes=answer.storage_bytes_read(),
        written_rows=answer.rows_written(),
        written_bytes=answer.bytes_written(),
        result_rows=answer.rows_read(),
        result_bytes=answer.bytes_read(),
    )


def _quoted(value: str) -> str:
    return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
