"""What is known of people's work, as a CSV file: asked for, made by an agent, fetched."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.authorization import require
from api.caller import caller
from api.finding import NOUNS
from api.moments import time_in
from api.numbers import natural
from api.responses import json_response
from api.routes.exports import MAX_FILENAME, exported_file
from api.services import services
from api.targets import stored_here
from domain.errors import AnnalsError, Forbidden, Invalid, NotFound
from domain.event import Context
from domain.event_exports import WantedEvents, export_id
from projections.listing import find_one
from projections.resources import REQUESTS

router = APIRouter(prefix="/api/events", tags=["events"])

IDS = ("org_id", "project_id", "task_id", "job_id", "user_id")
TIMES = ("from", "to")
FILTERS: list[dict[str, Any]] = [
    *({"name": name, "in": "query", "schema": {"type": "integer", "minimum": 0}} for name in IDS),
    *({"name": name, "in": "query", "schema": {"type": "string", "format": "date-time"}} for name in TIMES),
    {"name": "filename", "in": "query", "schema": {"type": "string"}},
]
OF_AN_EXPORT = [
    {"name": "query_id", "in": "query", "schema": {"type": "string"}},
    {"name": "action", "in": "query", "schema": {"type": "string", "enum": ["download"]}},
]
Row = dict[str, Any]


class ExportFailed(AnnalsError):
    """The events could not be exported."""


@router.post("/export", status_code=202, openapi_extra={"parameters": FILTERS})
def export(request: Request) -> Response:
    """Asks for a CSV file with the events of `from` to `to` that have all the ids given, without `send:exception`.
    Administrators see everybody's events, others their own. Without `from` it begins when the job, the task or the
    project was made. The answer names the request whose `result_url` will lead to the file.
    """
    context = caller(request)
    stored_here(request)
    return json_response({"rq_id": _queue(request, context, str(uuid4()))}, 202)


@router.get("/download")
def download(request: Request) -> Response:
    """The file that an export made; for whoever asked for it, for a day."""
    context = caller(request)
    return exported_file(request, _find(request, context, request.query_params.get("rq_id", "")))


@router.get("", deprecated=True, openapi_extra={"parameters": [*FILTERS, *OF_AN_EXPORT]})
def export_and_download(request: Request) -> Response:
    """The same in one place, as older clients do it: first it answers 202 with a `query_id`; asked with that, 202 while
    the file is being made and 201 when it is there; with `action=download`, too, the file.
    """
    context, query = caller(request), request.query_params
    number = query.get("query_id")
    if number is None:
        number = str(uuid4())
        _queue(request, context, number)
        return json_response({"query_id": number}, 202)
    row = _find(request, context, export_id(context, _uuid(number)))
    if row["status"] == "failed":
        raise ExportFailed(row["message"])
    if row["status"] != "finished":
        return json_response({"query_id": number}, 202)
    if query.get("action") != "download":
        return json_response({"query_id": number}, 201)
    return exported_file(request, row)


def _queue(request: Request, context: Context, number: str) -> str:
    """Returns the request's id. Raises Invalid, Forbidden, NotFound."""
    query, app = request.query_params, services(request).app
    ids = {name: _id(name, query[name]) for name in IDS if query.get(name)}
    own = context.actor.user_id
    if not context.actor.is_admin and ids.setdefault("user_id", own or 0) != own:
        raise Forbidden("Only administrators see what others did")
    made = _made(request, context, ids)
    since = time_in("from", query["from"]) if query.get("from") else made
    until = time_in("to", query["to"]) if query.get("to") else app.clock()
    filename = query.get("filename", "")[:MAX_FILENAME].replace("\0", "") or None
    return app.event_exports.queue(context, number, WantedEvents(until, since, **ids), filename)


def _made(request: Request, context: Context, ids: dict[str, int]) -> datetime | None:
    """When the narrowest of what was named was made; None: nothing was, or it is no more, which is for administrators
    to ask about. Raises Forbidden, NotFound.
    """
    created: datetime | None = None
    for noun, resource in reversed(NOUNS.items()):
        if (number := ids.get(f"{noun}_id")) is not None:
            row = find_one(services(request).database.query, resource, number)
            if row is not None or not context.actor.is_admin:
                created = require(context.actor, "view", noun, row)["created_date"]
    return created


def _find(request: Request, context: Context, key: str) -> Row:
    """Raises NotFound, Forbidden."""
    row = find_one(services(request).database.query, REQUESTS, key)
    if row is None or row["target"] != "events" or row["status"] == "cancelled":
        raise NotFound("There is no such export")
    return require(context.actor, "view", "request", row)


def _id(name: str, text: str) -> int:
    number = natural(text)
    if number is None:
        raise Invalid({name: ["A valid integer is required."]})
    return number


def _uuid(text: str) -> str:
    try:
        return str(UUID(text))
    except ValueError:
        raise NotFound("There is no such export") from None
