"""Requests: what became of work that takes a while."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api import urls
from api.authorization import may
from api.caller import caller
from api.paging import page_response
from api.responses import json_response, text_response
from api.services import services
from api.views import requests as views
from domain.errors import Forbidden
from domain.event import Context
from domain.request import request_id as make_id
from projections.listing import find_one
from projections.resources import REQUESTS

router = APIRouter(prefix="/api/requests", tags=["requests"])

OLD_SPELLING = re.compile(
    r"(?P<action>create|import|export):(?P<target>task|job|project)-(?P<target_id>\d{1,18})"
    r"(?:-(?P<subresource>annotations|dataset))?(?:-in-(?P<format>[^&=]{1,64})-format-by-(?P<user_id>\d{1,18}))?\Z"
)
"""How ids were written before CVAT 2.35: `create:task-7`, `export:task-7-dataset-in-COCO-1@0-format-by-1`."""


@router.get("")
def list_requests(request: Request) -> Response:
    """The caller's own requests, newest first; all for admins."""
    return page_response(request, caller(request), REQUESTS, views.request)


@router.get("/{request_id}")
async def retrieve(request: Request, request_id: str) -> Response:
    """One request. While it is unfinished the answer is held back until it finishes, for at most
    `ANNALS_REQUEST_HOLD_SECONDS`: clients that sleep between their polls learn of the end at once.
    """
    parts = services(request)
    key = _today(request_id)
    context = await run_in_threadpool(caller, request)
    deadline = time.monotonic() + parts.settings.request_hold_seconds
    while True:
        moved = parts.waiters.ticket()
        row = await run_in_threadpool(_find, request, context, key)
        if row is None:
            return text_response(f"There is no request {key}", 404)
        left = deadline - time.monotonic()
        if row["status"] not in ("queued", "started") or left <= 0 or await request.is_disconnected():
            return json_response(views.request(row, urls.base(request)))
        try:
            async with asyncio.timeout(left):
                await moved.wait()
        except TimeoutError:
            continue


@router.post("/{request_id}/cancel")
def cancel(request: Request, request_id: str) -> Response:
    """Calls off a request that waits, or an export that runs."""
    context = caller(request)
    key = _today(request_id)
    if _find(request, context, key) is None:
        return text_response(f"There is no request {key}", 404)
    services(request).app.requests.cancel(context, key)
    return Response(status_code=200)


def _today(request_id: str) -> str:
    """The id as it is written now."""
    old = OLD_SPELLING.match(request_id)
    if old is None:
        return request_id
    return make_id(**old.groupdict() | {"format": (old["format"] or "").replace("@", ".").replace("-", " ")})


def _find(request: Request, context: Context, key: str) -> dict[str, Any] | None:
    row = find_one(services(request).database.query, REQUESTS, key)
    if row is not None and row["status"] == "cancelled":
        return None
    if row is not None and not may(context.actor, "view", "request", row):
        raise Forbidden
    return row
