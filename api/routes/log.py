"""The log itself: what has happened, in pages and as it happens."""

from __future__ import annotations

from typing import Any

import orjson
from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from api.caller import caller
from api.moments import time_in, version_in
from api.responses import json_bytes
from api.services import services
from domain.errors import Invalid
from domain.event import Context, body_types
from infra.eventlog.published import EventFilter

router = APIRouter(prefix="/api/log", tags=["log"])

MAX_LIMIT = 1_000
NUMBERS = ("project_id", "task_id", "job_id", "actor_id")


def _parameter(name: str, kind: str = "integer", **schema: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "schema": {"type": kind, **schema}}


FILTERS = [
    _parameter("after", minimum=0),
    _parameter("stream", "string"),
    _parameter("types", "string", description="Event types, separated by commas."),
    *(_parameter(name) for name in NUMBERS),
    _parameter("since", "string", format="date-time"),
    _parameter("before", "string", format="date-time"),
]


@router.get("", openapi_extra={"parameters": [*FILTERS, _parameter("limit", minimum=1, maximum=MAX_LIMIT)]})
def page(request: Request) -> Response:
    """Events behind a position, in order. `next`: what to give as `after` for the next page; null at the end. Admins
    see everything; others what they may see, and their own logins, access tokens and requests. Secrets are left out.
    """
    context = caller(request)
    limit = min(_number(request, "limit", 100) or 100, MAX_LIMIT)
    found = services(request).log_pages.page(
        _filter(request), viewer(context), _number(request, "after", 0) or 0, limit
    )
    following = found.reached if found.reached < found.head else None
    results = b",".join(event.data for event in found.events)
    return json_bytes(b'{"head":%d,"next":%s,"results":[%s]}' % (found.head, orjson.dumps(following), results))


@router.get("/stream", openapi_extra={"parameters": FILTERS})
async def stream(request: Request) -> Response:
    """The same as server-sent events, without end: first what there is behind `Last-Event-ID` (or `after`), then what
    happens. With neither, only what happens from now on.
    """
    parts = services(request)
    context = await run_in_threadpool(caller, request)
    resumed = request.headers.get("last-event-id")
    after = version_in("Last-Event-ID", resumed) if resumed else _number(request, "after", None)
    parts.log_streams.check_room(context.actor.user_id)
    events = parts.log_streams.stream(_filter(request), context.actor.user_id, lambda: viewer(caller(request)), after)
    return StreamingResponse(events, media_type="text/event-stream", headers={"Cache-Control": "no-store"})


def viewer(context: Context) -> int | None:
    """None for who may see everything."""
    return None if context.actor.is_admin else context.actor.user_id


def _filter(request: Request) -> EventFilter:
    query = request.query_params
    types = frozenset(name for name in query.get("types", "").split(",") if name)
    if unknown := sorted(types - body_types().keys()):
        raise Invalid({"types": [f"There are no events of type {unknown[0][:50]}."]})
    stream = query.get("stream") or None
    if stream is not None and "\0" in stream:
        raise Invalid({"stream": ["Null characters are not allowed."]})
    project_id, task_id, job_id, actor_id = (_number(request, name, None) for name in NUMBERS)
    since, before = (time_in(name, query[name]) if query.get(name) else None for name in ("since", "before"))
    return EventFilter(stream, types, project_id, task_id, job_id, actor_id, since, before)


def _number(request: Request, name: str, default: int | None) -> int | None:
    text = request.query_params.get(name)
    return version_in(name, text) if text else default
