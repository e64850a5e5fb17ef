"""The recorder: appends in commit order with the inline projections in the same transaction, and reads back."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Protocol
from uuid import UUID

import orjson
import psycopg
from eventsourcing.persistence import ApplicationRecorder, StoredEvent
from psycopg import Cursor
from psycopg.rows import DictRow

from domain.errors import Conflict, DoneBefore, Invalid, Unavailable, VersionConflict
from domain.event import NEXT_VERSION, Event, Metadata
from infra.eventlog.committer import GroupCommitter, Save
from infra.eventlog.mapper import LoggedEvent, PendingEvent
from infra.eventlog.subscription import CHANNEL, LogSubscription, notice
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

# One notification a batch: a transaction that notifies takes a database-wide lock at its commit. The columns' types are
# told rather than taken from the table, so that a column that a later version adds does not stop this one's appends.
INSERT = b"""
WITH inserted AS (
    INSERT INTO log.events (position, stream, version, type, schema_version, time, source, actor_id, actor,
        organization_id, organization, project_id, task_id, job_id, correlation_id, causation_id, user_agent, state,
        idempotency_key, access_token_id)
    SELECT e.position, e.stream, e.version, e.type, e.schema_version, e.time, e.source, e.actor_id, e.actor,
        e.organization_id, e.organization, e.project_id, e.task_id, e.job_id, e.correlation_id, e.causation_id,
        e.user_agent, e.payload, e.idempotency_key, e.access_token_id
    FROM ROWS FROM (
        json_to_recordset(%s::json) AS (
            position bigint, stream text, version bigint, type text, schema_version smallint, time timestamptz,
            source text, actor_id bigint, actor text, organization_id bigint, organization text, project_id bigint,
            task_id bigint, job_id bigint, correlation_id text, causation_id text, user_agent text,
            idempotency_key text, access_token_id bigint
        ),
        unnest(%b::bytea[])
    ) AS e (
        position, stream, version, type, schema_version, time, source, actor_id, actor, organization_id, organization,
        project_id, task_id, job_id, correlation_id, causation_id, user_agent, idempotency_key, access_token_id, payload
    )
)
SELECT pg_notify(%s, %s)
"""

SELECT = """
SELECT position, stream, version, type, schema_version, time, source, actor_id, actor, organization_id, organization,
    correlation_id, causation_id, user_agent, idempotency_key, access_token_id, state
FROM log.events
"""


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


class EventLogRecorder(ApplicationRecorder):
    """The log's recorder. Thread-safe: writes share one connection by group commit, reads use the pool."""

    def __init__(self, database: Database, projections: InlineProjections, catch_up: CatchUp) -> None:
        self.database = database
        self._projections = projections
        self._keys = projections.keys
        self._catch_up = catch_up
        self._committer = GroupCommitter(self._write)
        self._writer: Writer | None = None
        self._closing = threading.Lock()
        self._inserting = self._committing = False

    def insert_events(
        self, stored_events: Sequence[StoredEvent], *, expect: Mapping[str, int] | None = None, **_: Any
    ) -> list[int]:
        """Append, all or nothing; returns the positions. `expect`: stream → version that it must have. Raises
        VersionConflict; DoneBefore; Conflict when a row must be the only one of its kind and is not; Invalid for values
        that no column takes; Unavailable.
        """
        if not stored_events:
            return []
        save = Save([event for event in stored_events if isinstance(event, PendingEvent)], expect or {})
        try:
            self._committer.commit(save)
        except psycopg.errors.UniqueViolation as error:
            if error.diag.constraint_name == "events_idempotency":
                raise DoneBefore from error
            raise Conflict(error.diag.message_primary) from error
        except (psycopg.DataError, psycopg.errors.ProgramLimitExceeded) as error:
            raise Invalid([f"This cannot be stored: {error.diag.message_primary}"]) from error
        except psycopg.OperationalError as error:
            raise Unavailable(f"PostgreSQL cannot store this now: {error.diag.message_primary or error}") from error
        return save.positions

    def select_events(
        self,
        originator_id: UUID | str,
        *,
        gt: int | None = None,
        lte: int | None = None,
        desc: bool = False,
        limit: int | None = None,
    ) -> list[LoggedEvent]:
        statement = SELECT + "WHERE stream = %s AND version > %s AND version <= %s ORDER BY version"
        statement += (" DESC" if desc else "") + " LIMIT %s"
        params = (str(originator_id), gt or 0, lte if lte is not None else 2**62, limit)
        return [logged_event(row) for row in self.database.query(statement.encode(), params)]

    def select_notifications(
        self,
        start: int | None,
        limit: int,
        stop: int | None = None,
        topics: Sequence[str] = (),
        *,
        inclusive_of_start: bool = True,
    ) -> list[LoggedEvent]:
        first = (start or 0) + (0 if inclusive_of_start else 1)
        statement = SELECT + "WHERE position >= %s AND position <= %s"
        params: list[Any] = [first, stop if stop is not None else 2**62]
        if topics:
            statement += " AND type = ANY(%s)"
            params.append(list(topics))
        statement += " ORDER BY position LIMIT %s"
        return [logged_event(row) for row in self.database.query(statement.encode(), [*params, limit])]

    def max_notification_id(self) -> int | None:
        row = self.database.query_one("SELECT max(position) AS head FROM log.events")
        return row["head"] if row else None

    def subscribe(self, gt: int | None = None, topics: Sequence[str] = ()) -> LogSubscription:
        return LogSubscription(self, self.database, gt, topics)

    def close(self) -> None:
        with self._closing:
            if self._writer is not None:
                self._writer.connection.close()
                self._writer = None

    @contextmanager
    def append_transaction(self) -> Iterator[Cursor[DictRow]]:
        """A transaction during which nobody else appends."""
        with self.database.connect() as connection, connection.transaction():
            cursor = connection.execute(LOCK)
            yield cursor

    def _write(self, batch: Sequence[Save], waiting: Callable[[], None]) -> None:
        try:
            self._attempt(batch, waiting)
        except _NothingWritten:
            # The connection had been lost since its last use, say by a restart of PostgreSQL.
            self._attempt(batch, waiting)

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
            self._writer = Writer(self.database.connect())
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


def number(batch: Sequence[Save], heads: dict[str | None, int]) -> list[PendingEvent]:
    """Give each event of each save its version and position. `heads`: stream → last version; None → last position.
    A save that expected another version gets its `error` and is left out; the others are not affected.
    """
    accepted: list[PendingEvent] = []
    position = heads[None]
    for save in batch:
        save.positions = []
        save.error = unexpected(save, heads)
        if save.error is None:
            for pending in save.events:
                event, position = pending.event, position + 1
                heads[event.originator_id] += 1
                event.originator_version, event.position = heads[event.originator_id], position
                save.positions.append(position)
            accepted.extend(save.events)
    return accepted


def unexpected(save: Save, heads: Mapping[str | None, int]) -> VersionConflict | None:
    """Why a save must not be written."""
    for stream, version in save.expect.items():
        if heads[stream] != version:
            return VersionConflict(stream, version, heads[stream])
    versions: dict[str, int] = {}
    for pending in save.events:
        stream = str(pending.originator_id)
        versions[stream] = versions.get(stream, heads[stream]) + 1
        if pending.originator_version not in (NEXT_VERSION, versions[stream]):
            return VersionConflict(stream, pending.originator_version - 1, versions[stream] - 1)
    return None


def columns(pending: Sequence[PendingEvent]) -> str:
    """The rows, all but `state`, as JSON."""
    return orjson.dumps([_row(p.event) for p in pending]).decode()


def _row(event: Event) -> dict[str, Any]:
    body, meta = event.body, event.meta
    return {
        "position": event.position,
        "stream": event.originator_id,
        "version": event.originator_version,
        "type": body.type_name,
        "schema_version": body.schema_version,
        "time": meta.time,
        "source": meta.source,
        "actor_id": meta.actor_id,
        "actor": meta.actor,
        "organization_id": meta.organization_id,
        "organization": meta.organization,
        "project_id": getattr(body, "project_id", None),
        "task_id": getattr(body, "task_id", None),
        "job_id": getattr(body, "job_id", None),
        "correlation_id": meta.correlation_id,
        "causation_id": meta.causation_id,
        "user_agent": meta.user_agent,
        "idempotency_key": meta.idempotency_key,
        "access_token_id": meta.access_token_id,
    }


def logged_event(row: DictRow) -> LoggedEvent:
    meta = Metadata(
        row["time"],
        row["source"],
        row["actor_id"],
        row["actor"],
        row["organization_id"],
        row["organization"],
        row["correlation_id"],
        row["causation_id"],
        row["user_agent"],
        row["idempotency_key"],
        row["access_token_id"],
    )
    return LoggedEvent(
        originator_id=row["stream"],
        originator_version=row["version"],
        topic=row["type"],
        state=bytes(row["state"]),
        id=row["position"],
        schema_version=row["schema_version"],
        meta=meta,
    )
