"""Batches: whole events as columns, ready for ClickHouse."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from consumers.forwarder import transform
from consumers.forwarder.transform.row import Row, rows_of
from domain.event import Event

COLUMNS = {
    "scope": "String",
    "obj_name": "Nullable(String)",
    "obj_id": "Nullable(UInt64)",
    "obj_val": "Nullable(String)",
    "source": "String",
    "timestamp": "DateTime64(3, 'Etc/UTC')",
    "count": "Nullable(UInt16)",
    "duration": "UInt32",
    "project_id": "Nullable(UInt64)",
    "task_id": "Nullable(UInt64)",
    "job_id": "Nullable(UInt64)",
    "user_id": "Nullable(UInt64)",
    "user_name": "Nullable(String)",
    "org_id": "Nullable(UInt64)",
    "org_slug": "Nullable(String)",
    "payload": "Nullable(String)",
    "remote_addr": "Nullable(String)",
    "position": "UInt64",
    "row": "UInt16",
    "rows": "UInt16",
    "stream": "String",
    "version": "UInt64",
    "event_type": "LowCardinality(String)",
    "schema_version": "UInt16",
    "correlation_id": "Nullable(String)",
}
"""The columns that the forwarder fills, and their types: known here, so that an insert needn't ask. The others of
`cvat.events` have defaults.
"""

TableRow = tuple[Any, ...]
Month = tuple[int, int]
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
OVERHEAD = 200
"""Bytes that a row takes beside its payload, roughly."""

assert transform.__all__  # importing the package is what registers the transforms


@dataclass(frozen=True)
class Limits:
    """When a batch is full. It may go beyond by one event: an event is never cut."""

    rows: int = 10_000
    bytes: int = 8 * 1024 * 1024


DEFAULT_LIMITS = Limits()
UNLIMITED = Limits(2**62, 2**62)


@dataclass
class Batch:
    """The rows of the events `after` < position <= `until`. All of one month, so that they make one part, which
    ClickHouse takes whole or not at all. `first_time`: when the first event was recorded.
    """

    after: int
    until: int
    first_time: datetime
    month: Month
    rows: list[TableRow] = field(default_factory=list)
    bytes: int = 0

    def columns(self) -> list[tuple[Any, ...]]:
        """The rows, column by column, in the order of COLUMNS."""
        return list(zip(*self.rows, strict=True))

    def add(self, position: int, rows: list[TableRow]) -> None:
        """All rows of the event at this position."""
        self.rows += rows
        self.bytes += sum(OVERHEAD + len(row[PAYLOAD]) for row in rows)
        self.until = position

    def takes(self, month: Month, limits: Limits) -> bool:
        return len(self.rows) < limits.rows and self.bytes < limits.bytes and month == self.month


PAYLOAD, TIMESTAMP = (list(COLUMNS).index(name) for name in ("payload", "timestamp"))


def batches(events: Iterable[Event], after: int, limits: Limits) -> Iterator[Batch]:
    """Cuts a run of events that begins behind `after` into batches. Holds one batch at a time."""
    batch: Batch | None = None
    for event in events:
        rows = table_rows(event)
        month = _month(rows)
        if batch is not None and not batch.takes(month, limits):
            yield batch
            after, batch = batch.until, None
        if batch is None:
            batch = Batch(after, after, event.meta.time, month)
        batch.add(event.position, rows)
    if batch is not None:
        yield batch


def gather(events: Iterable[Event], after: int) -> Batch:
    """All of a run of events as one batch, whatever its size: one that was cut before. There is at least one."""
    (batch,) = batches(events, after, UNLIMITED)
    return batch


def _month(rows: list[TableRow]) -> Month:
    """Of an event, by its rows: what a client reports in a new month may have happened in the old one."""
    time = EPOCH + rows[0][TIMESTAMP] * MILLISECOND
    return time.year, time.month


def table_rows(event: Event) -> list[TableRow]:
    """The rows of an event, in the order of COLUMNS. They follow from the event alone."""
    body, meta = event.body, event.meta
    rows = rows_of(body)
    project_id, task_id, job_id = (getattr(body, name, None) for name in ("project_id", "task_id", "job_id"))
    remote_addr = getattr(body, "remote_addr", None)
    who = (meta.actor_id, meta.actor, meta.organization_id, meta.organization)
    asked = orjson.dumps(
        {"request": {"id": meta.correlation_id, "user_agent": meta.user_agent, "source": meta.source}}
    ).decode()
    origin = (event.originator_id, event.originator_version, body.type_name, body.schema_version, meta.correlation_id)
    return [
        (
            row.scope,
            row.obj_name,
            row.obj_id,
            row.obj_val,
            row.source,
            ((row.time or meta.time) - EPOCH) // MILLISECOND,
            row.amount,
            row.duration,
            row.project_id or project_id,
            row.task_id or task_id,
            row.job_id or job_id,
            *who,
            _payload(row, asked),
            remote_addr,
            event.position,
            number,
            len(rows),
            *origin,
        )
        for number, row in enumerate(rows)
    ]


def _payload(row: Row, asked: str) -> str:
    """The row's own data and the request behind it, as one JSON object."""
    if not row.payload:
        return asked
    if isinstance(row.payload, str):
        return row.payload
    return orjson.dumps(row.payload).decode()[:-1] + "," + asked[1:]
