"""The recorder: appends to the log, and reads back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import psycopg
from eventsourcing.persistence import ApplicationRecorder, StoredEvent
from psycopg import Cursor
from psycopg.rows import DictRow

from domain.errors import Conflict, DoneBefore, Invalid, Unavailable
from infra.eventlog.appender import LOCK, Appender, CatchUp, InlineProjections
from infra.eventlog.committer import GroupCommitter, Save
from infra.eventlog.mapper import LoggedEvent, PendingEvent
from infra.eventlog.rows import SELECT, logged_event
from infra.eventlog.subscription import LogSubscription
from infra.postgres.database import Database


class EventLogRecorder(ApplicationRecorder):
    """The log's recorder. Thread-safe: writes share one connection by group commit, reads use the pool."""

    def __init__(self, database: Database, projections: InlineProjections, catch_up: CatchUp) -> None:
        self.database = database
        self._appender = Appender(database, projections, catch_up)
        self._committer = GroupCommitter(self._appender.write)

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
        self._appender.close()

    @contextmanager
    def append_transaction(self) -> Iterator[Cursor[DictRow]]:
        """A transaction during which nobody else appends."""
        with self.database.connect() as connection, connection.transaction():
            cursor = connection.execute(LOCK)
            yield cursor
