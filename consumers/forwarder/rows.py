"""Rows as the tables have them: what the transforms made of an event, and where in the log it comes from."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from consumers.forwarder import transform
from consumers.forwarder.transform.row import rows_of
from domain.event import Event, Metadata

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
    "user_email": "Nullable(String)",
    "org_id": "Nullable(UInt64)",
    "org_slug": "Nullable(String)",
    "payload": "Nullable(String)",
    "access_token_id": "Nullable(UInt64)",
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
    # Hundreds of thousands of rows a second have to pass here: hence no names, no calls, where none are needed.
    body, meta = event.body, event.meta
    rows = rows_of(body)
    of_project = getattr(body, "project_id", None)
    of_task = getattr(body, "task_id", None)
    of_job = getattr(body, "job_id", None)
    actor = (meta.actor_id, meta.actor, meta.actor_email, meta.organization_id, meta.organization)
    token, correlation_id, remote_addr = meta.access_token_id, meta.correlation_id, getattr(body, "remote_addr", None)
    position, stream, version = event.position, event.originator_id, event.originator_version
    event_type, schema_version = body.type_name, body.schema_version
    asked, number = _asked(meta), len(rows)
    recorded = (meta.time - EPOCH) // MILLISECOND
    return [
        (
            scope,
            obj_name,
            obj_id,
            obj_val,
            source,
            recorded if time is None else (time - EPOCH) // MILLISECOND,
            amount,
            duration,
            project_id or of_project,
            task_id or of_task,
            job_id or of_job,
            (who := of_whom or actor)[0],
            who[1],
            who[2],
            who[3],
            who[4],
            payload if payload and isinstance(payload, str) else _payload(payload, asked),
            token,
            remote_addr,
            position,
            row,
            number,
            stream,
            version,
            event_type,
            schema_version,
            correlation_id,
        )
        for row, (
            scope,
            obj_name,
            obj_id,
            obj_val,
            amount,
            payload,
            task_id,
            job_id,
            project_id,
            duration,
            time,
            source,
            of_whom,
        ) in enumerate(rows)
    ]


def _asked(meta: Metadata) -> str:
    """The request behind an event, as JSON."""
    request = {"id": meta.correlation_id, "user_agent": meta.user_agent, "source": meta.source}
    return orjson.dumps({"request": request}).decode()


def _payload(payload: dict[str, Any] | str | None, asked: str) -> str:
    """A row's own data and the request behind it, as one JSON object."""
    if not payload:
        return asked
    if isinstance(payload, str):
        return payload
    return orjson.dumps(payload).decode()[:-1] + "," + asked[1:]
