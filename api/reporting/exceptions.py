"""Requests that were refused or failed, as `send:exception` has them in CVAT."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any

import orjson
from starlette.requests import Request

from api.errors import detail_of
from api.observed import OTHER, Outcome
from api.reporting.gathering import Kind, Variant
from domain.errors import NotAuthenticated
from domain.event import Actor
from domain.events.telemetry import ServerEvent
from infra.stacks import stack_of

SCOPE = "send:exception"
MAX_MESSAGE, MAX_URL, MAX_VALUE = 2_000, 500, 200
"""Characters."""
MAX_PARAMETERS = 30

SECRET = re.compile(r"token|key|secret|passw|signature|sig$|auth|code|credential|session", re.IGNORECASE)
"""In the name of a query parameter whose value is not repeated."""

HIDDEN = "(hidden)"


def is_reported(outcome: Outcome) -> bool:
    """Whether a route refused it or failed, other than for lack of credentials."""
    return outcome.seen.route != OTHER and not isinstance(outcome.seen.error, NotAuthenticated)


def exception_kind(outcome: Outcome) -> Kind:
    actor = outcome.seen.actor
    return SCOPE, outcome.method, outcome.seen.route, outcome.status, actor.user_id if actor else None


def exception_variant(outcome: Outcome) -> Variant:
    """What it says: the message, and the place that the request was for; and whose organization it was made for."""
    actor = outcome.seen.actor
    message = _message(outcome.seen.error, outcome.status)[:MAX_MESSAGE]
    return message, outcome.scope["path"][:MAX_URL], actor.organization_id if actor else None


def exception_event(outcome: Outcome, time: datetime) -> ServerEvent:
    """The count is yet to come."""
    request = Request(outcome.scope)
    error = outcome.seen.error
    payload: dict[str, Any] = {
        "message": _message(error, outcome.status)[:MAX_MESSAGE],
        "stack": stack_of(error) if error is not None and outcome.status >= 500 else "",
        "basename": _noun(outcome.seen.route),
        "action": outcome.seen.action,
        "status_code": outcome.status,
        "request": {
            "url": request.url.path[:MAX_URL],
            "query_params": _parameters(request),
            "content_type": request.headers.get("content-type", "")[:MAX_VALUE],
            "method": request.method,
            "id": getattr(request.state, "request_id", None),
            "user_agent": request.headers.get("user-agent", "")[:MAX_VALUE],
        },
    }
    event: ServerEvent = {"scope": SCOPE, "timestamp": time.isoformat(), "count": 0, "payload": payload}
    about_user(event, outcome.seen.actor)
    _about_place(event, request.url.path)
    return event


def about_user(event: ServerEvent, actor: Actor | None) -> None:
    """Says whose request it was."""
    if actor is None or actor.user_id is None:
        return
    event["user_id"] = actor.user_id
    if actor.username is not None:
        event["user_name"] = actor.username
    if actor.email:
        event["user_email"] = actor.email
    if actor.organization_id is not None and actor.organization is not None:
        event["organization_id"], event["organization"] = actor.organization_id, actor.organization


def _about_place(event: ServerEvent, path: str) -> None:
    match path.strip("/").split("/")[:3]:
        case ["api", "projects", number] if _is_id(number):
            event["project_id"] = int(number)
        case ["api", "tasks", number] if _is_id(number):
            event["task_id"] = int(number)
        case ["api", "jobs", number] if _is_id(number):
            event["job_id"] = int(number)


def _is_id(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 19


def _message(error: Exception | None, status: int) -> str:
    if error is None:
        return f"Answered with {status}"
    detail = detail_of(error)
    return detail if isinstance(detail, str) else orjson.dumps(detail, default=str).decode()


def _noun(route: str) -> str:
    """`task` of `/api/tasks/{task_id}`."""
    parts = route.strip("/").split("/")
    return (parts[1] if len(parts) > 1 else parts[0]).removesuffix("s")


def _parameters(request: Request) -> dict[str, str]:
    given = list(request.query_params.items())[:MAX_PARAMETERS]
    return {name[:MAX_VALUE]: HIDDEN if SECRET.search(name) else value[:MAX_VALUE] for name, value in given}
