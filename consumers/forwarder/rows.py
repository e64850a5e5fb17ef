"""Rows as the tables have them: what the transforms made of an event, and where in the log it comes from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from consumers.forwarder import transform
from consumers.forwarder.transform.row import Row, Who, rows_of
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
Shaper = Callable[[Event], list[TableRow]]
"""What makes an event's rows, at least one."""

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)

assert transform.__all__  # importing the package is what registers the transforms


def table_rows(event: Event) -> list[TableRow]:
    """The rows of an event, in the order of COLUMNS. They follow from the event alone."""
    body, meta = event.body, event.meta
    rows = rows_of(body)
    project_id, task_id, job_id = (getattr(body, name, None) for name in ("project_id", "task_id", "job_id"))
    remote_addr = getattr(body, "remote_addr", None)
    who = Who(meta.actor_id, meta.actor, meta.organization_id, meta.organization)
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
            *(row.who or who),
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
