"""The appender: writes batches of saves, in commit order, with the inline projections in the same transaction."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import psycopg

from domain.errors import Unavailable
from domain.event import Event
from infra.eventlog.committer import Save
from infra.eventlog.numbering import number
from infra.eventlog.rows import INSERT, columns
from infra.eventlog.subscription import CHANNEL, notice
from infra.eventlog.writer import Writer
from infra.postgres.database import Database

APPEND_LOCK = 0x4C6F67  # "Log"

# Only one transaction at a time, of all processes, may number and insert events. Without the lock a transaction with
# a lower position could commit after one with a higher, and a follower that had read the higher would never see the
# lower. It is released by the commit itself, when the rows are visible.
LOCK = f"SELECT pg_advisory_xact_lock({APPEND_LOCK})".encode()

# The lock is a statement of its own, so that this one takes its snapshot after it and sees the last commit.
HEADS = b"""
SELECT NULL AS stream, coalesce(max(position), 0) AS version FROM log.events
UNION ALL
SELECT s.stream, e.version
FROM unnest(%s::text[]) AS s (stream),
    LATERAL (SELECT version FROM log.events WHERE stream = s.stream ORDER BY version DESC LIMIT 1) e
UNION ALL
SELECT '!', count(*) FROM log.projections WHERE folded IS NULL AND name || '@' || version = ANY(%s)
"""
FOLDED = "!"
"""In place of a stream: how many of this program's projections are folded by every append, whoever makes it. As a rule
all; else programs with other versions append, too.
"""

BEHIND = b"""
SELECT count(*) FROM log.projections WHERE folded = %s AND name || '@' || version = ANY(%s)
"""
MARK = b"UPDATE log.projections SET folded = %s WHERE name || '@' || version = ANY(%s)"


class Executor(Protocol):
    """What statements can be given to: a cursor, or a writer that gathers them."""

    def execute(self, statement: bytes, params: Sequence[Any], /) -> object: ...


class InlineProjections(Protocol):
    """What folds events into tables inside the append's transaction. `keys`: which versions, as log.projections has
    them.
    """

    @property
    def keys(self) -> list[str]: ...

    def apply(self, cursor: Executor, events: Sequence[Event]) -> None: ...


CatchUp = Callable[[], object]
"""Folds what programs with other versions have appended. Called while nobody else can append."""


class _NothingWritten(Unavailable):
    """PostgreSQL does not answer, and nothing had been sent to it."""


class Appender:
    """One batch is one transaction. Used by one thread at a time; it may be closed by any."""

    def __init__(self, database: Database, projections: InlineProjections, catch_up: CatchUp) -> None:
        self._database = database
        self._projections = projections
        self._keys = projections.keys
        self._catch_up = catch_up
        self._writer: Writer | None = None
        self._closing = threading.Lock()
        self._inserting = self._committing = False

    def write(self, batch: Sequence[Save], waiting: Callable[[], None]) -> None:
        """As GroupCommitter wants it."""
        try:
            self._attempt(batch, waiting)
        except _NothingWritten:
            # The connection had been lost since its last use, say by a restart of PostgreSQL.
            self._attempt(batch, waiting)

    def close(self) -> None:
        with self._closing:
            if self._writer is not None:
                self._writer.connection.close()
                self._writer = None

    def _attempt(self, batch: Sequence[Save], waiting: Callable[[], None]) -> None:
        self._inserting = self._committing = False
        try:
            writer = self._open_writer()
            writer.execute(b"BEGIN")
            self._append(writer, batch, waiting)
            self._committing = True
            writer.execute(b"COMMIT")
            writer.sync(waiting)
        except Exception as error:
            # PostgreSQL itself refused something and so did nothing of it; or nobody knows.
            refused = isinstance(error, psycopg.Error) and error.sqlstate is not None and not _gone(error)
            if refused or not (self._committing or isinstance(error, psycopg.Error)):
                self.close()
                raise
            self.close()
            kind = Unavailable if self._inserting else _NothingWritten
            raise kind(f"PostgreSQL does not answer: {error}") from error
        except BaseException:
            self.close()
            raise

    def _open_writer(self) -> Writer:
        if self._writer is None:
            self._writer = Writer(self._database.connect())
        return self._writer

    def _append(self, writer: Writer, batch: Sequence[Save], waiting: Callable[[], None]) -> None:
        writer.execute(LOCK)
        streams = list({stream for save in batch for stream in save.streams})
        writer.execute(HEADS, (streams, self._keys))
        heads: dict[str | None, int] = dict.fromkeys(streams, 0)
        for stream, version in writer.fetch(waiting):
            heads[stream.decode() if stream is not None else None] = int(version or 0)
        alone = heads.pop(FOLDED) == len(self._keys)
        if not alone and not self._is_folded(writer, heads[None], waiting):
            self._catch_up()
        accepted = number(batch, heads)
        if accepted:
            self._inserting = True
            states = [event.state for event in accepted]
            writer.execute(INSERT, (columns(accepted), states, CHANNEL, notice(streams)))
            self._projections.apply(writer, [event.event for event in accepted])
            if not alone:
                writer.execute(MARK, (accepted[-1].event.position, self._keys))

    def _is_folded(self, writer: Writer, head: int, waiting: Callable[[], None]) -> bool:
        writer.execute(BEHIND, (head, self._keys))
        ((count,),) = writer.fetch(waiting)
        return int(count or 0) == len(self._keys)


def _gone(error: psycopg.Error) -> bool:
    """Whether an error means that the server or the connection goes away (SQLSTATE classes 08 and 57)."""
    return (error.sqlstate or "")[:2] in ("08", "57")
