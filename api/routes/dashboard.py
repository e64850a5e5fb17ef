"""The dashboard: a page of our own, and what its charts show."""

from __future__ import annotations

import time
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.caller import caller
from api.dashboards.analytics import Analytics
from api.dashboards.charts import CAMPAIGN
from api.dashboards.selection import Selection, between
from api.dashboards.state import state
from api.finding import find_resource
from api.moments import time_in
from api.numbers import natural
from api.responses import json_response
from api.services import services
from api.static_files import PROGRAM_FILES
from domain.errors import Forbidden, Invalid, Unavailable
from domain.event import Context

router = APIRouter(tags=["dashboard"])

PARAMETERS: dict[str, Any] = {
    "parameters": [
        *(
            {"name": name, "in": "query", "schema": {"type": "string", "format": "date-time"}}
            for name in ("from", "to")
        ),
        *(
            {"name": name, "in": "query", "schema": {"type": "integer", "minimum": 1}}
            for name in ("project_id", "task_id")
        ),
    ]
}


@router.get("/dashboard", include_in_schema=False)
async def page(request: Request) -> Response:
    """The page. It holds nothing by itself, so that everybody may have it."""
    return await PROGRAM_FILES.get_response("dashboard/index.html", request.scope)


@router.get("/api/dashboard/state")
def current_state(request: Request) -> Response:
    """How the server is right now: the log's head, queues, agents, followers of the log and what they could not pass
    on, the last verifications. Times are seconds since 1970. For admins.
    """
    if not caller(request).actor.is_admin:
        raise Forbidden
    return json_response(state(services(request).database, services(request).followers))


@router.get("/api/dashboard/charts/{name}", openapi_extra=PARAMETERS)
def chart(request: Request, name: str) -> Response:
    """What one chart of the dashboard shows: `columns` and `rows`; of a series, a row for each `step` of so many
    seconds. Times are seconds since 1970. Without `from`, all until `to`; without `to`, until now. Admins see all; the
    owner and the assignee of a project or task see the campaign's charts of that one.
    """
    context = caller(request)
    project, task = (_number(request, field) for field in ("project_id", "task_id"))
    _check(request, context, name, project, task)
    analytics = _analytics(request)
    chosen = _selection(request, analytics, project, task)
    columns, rows = analytics.chart(name, chosen)
    span = {"from": chosen.first, "to": chosen.until, "step": chosen.step}
    return json_response({**span, "columns": columns, "rows": rows})


def _check(request: Request, context: Context, name: str, project: int, task: int) -> None:
    """Raises Forbidden, NotFound."""
    if context.actor.is_admin:
        return
    if name not in CAMPAIGN or not (project or task):
        raise Forbidden
    noun, resource_id = ("task", task) if task else ("project", project)
    find_resource(request, context, noun, "view", resource_id)


def _analytics(request: Request) -> Analytics:
    analytics = services(request).analytics
    if analytics is None:
        raise Unavailable("There are no charts of the past: this server has no ClickHouse.")
    return analytics


def _selection(request: Request, analytics: Analytics, project: int, task: int) -> Selection:
    since, until = (_time(request, field) for field in ("from", "to"))
    if since is None:
        since = analytics.first_event(project, task)
    return between(since, int(time.time()) + 1 if until is None else until, project, task)


def _time(request: Request, name: str) -> int | None:
    """In seconds since 1970. Raises Invalid."""
    text = request.query_params.get(name)
    return max(int(time_in(name, text).timestamp()), 0) if text else None


def _number(request: Request, name: str) -> int:
    """0 when none is given. Raises Invalid."""
    text = request.query_params.get(name)
    number = natural(text) if text else 0
    if number is None:
        raise Invalid({name: ["A valid integer is required."]})
    return number
