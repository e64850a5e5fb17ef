"""Events as rows of `log.events`: how they are written there, and read."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson
from psycopg.rows import DictRow

from domain.event import Event, Metadata
from infra.eventlog.mapper import LoggedEvent, PendingEvent

# One notification a batch: a transaction that notifies takes a database-wide lock at its commit. The columns' types are
# told rather than taken from the table, so that a column that a later version adds does not stop this one's appends.
INSERT = b"""
WITH inserted AS (
    INSERT INTO log.events (position, stream, version, type, schema_version, time, source, actor_id, actor,
        organization_id, organization, project_id, task_id, job_id, correlation_id, causation_id, user_agent, state,
        idempotency_key, access_token_id, actor_email)
    SELECT e.position, e.stream, e.version, e.type, e.schema_version, e.time, e.source, e.actor_id, e.actor,
        e.organization_id, e.organization, e.project_id, e.task_id, e.job_id, e.correlation_id, e.causation_id,
        e.user_agent, e.payload, e.idempotency_key, e.access_token_id, e.actor_email
    FROM ROWS FROM (
        json_to_recordset(%s::json) AS (
            position bigint, stream text, version bigint, type text, schema_version smallint, time timestamptz,
            source text, actor_id bigint, actor text, organization_id bigint, organization text, project_id bigint,
            task_id bigint, job_id bigint, correlation_id text, causation_id text, user_agent text,
            idempotency_key text, access_token_id bigint, actor_email text
        ),
        unnest(%b::bytea[])
    ) AS e (
        position, stream, version, type, schema_version, time, source, actor_id, actor, organization_id, organization,
        project_id, task_id, job_id, correlation_id, causation_id, user_agent, idempotency_key, access_token_id,
        actor_email, payload
    )
)
SELECT pg_notify(%s, %s)
"""

SELECT = """
SELECT position, stream, version, type, schema_version, time, source, actor_id, actor, organization_id, organization,
    correlation_id, causation_id, user_agent, idempotency_key, access_token_id, actor_email, state
FROM log.events
"""


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
        "actor_email": meta.actor_email,
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
        row["actor_email"],
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
