"""Requests as they stand now: the processing queue, and what clients poll."""

from __future__ import annotations

from domain.event import Event
from domain.events.request import (
    LeaseExpired,
    RequestCancelled,
    RequestFailed,
    RequestFinished,
    RequestQueued,
    RequestStarted,
)
from projections.changes import Changes, Table
from projections.projection import Projection

REQUESTS = Table("requests")

projection = Projection("requests", 2, (REQUESTS,))


@projection.on(RequestQueued)
def queued(body: RequestQueued, event: Event, changes: Changes) -> None:
    changes.put(
        REQUESTS,
        {
            "id": body.request_id,
            "position": event.position,
            "queue": body.queue,
            "action": body.action,
            "target": body.target,
            "subresource": body.subresource,
            "owner_id": body.owner_id,
            "owner": body.owner,
            "project_id": body.project_id,
            "task_id": body.task_id,
            "job_id": body.job_id,
            "params": body.params,
            "status": "queued",
            "message": "",
            "result": {},
            "created_date": event.meta.time,
        },
    )


@projection.on(RequestStarted)
def started(body: RequestStarted, event: Event, changes: Changes) -> None:
    changes.update(REQUESTS, body.request_id, status="started", agent=body.agent, started_date=event.meta.time)


@projection.on(LeaseExpired)
def expired(body: LeaseExpired, event: Event, changes: Changes) -> None:
    changes.update(REQUESTS, body.request_id, status="queued", agent=None, started_date=None)


@projection.on(RequestFinished)
def finished(body: RequestFinished, event: Event, changes: Changes) -> None:
    changes.update(REQUESTS, body.request_id, status="finished", result=body.result, finished_date=event.meta.time)


@projection.on(RequestFailed)
def failed(body: RequestFailed, event: Event, changes: Changes) -> None:
    changes.update(REQUESTS, body.request_id, status="failed", message=body.message, finished_date=event.meta.time)


@projection.on(RequestCancelled)
def cancelled(body: RequestCancelled, event: Event, changes: Changes) -> None:
    changes.update(REQUESTS, body.request_id, status="cancelled", finished_date=event.meta.time)
