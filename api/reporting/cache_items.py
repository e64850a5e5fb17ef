"""What comes from the chunk cache and goes into it, as CVAT has it: `read:cache_item`, `create:cache_item`."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal, NamedTuple

from starlette.requests import Request

from api.observed import observation
from api.reporting.exceptions import MAX_VALUE, about_user
from api.reporting.gathering import Kind
from domain.events.telemetry import ServerEvent

Access = Literal["read", "create"]
QUEUE = "chunks"
"""CVAT's name for whoever prepares them."""

PREVIEW = "preview"


class _Item(NamedTuple):
    type: str
    target: str
    target_id: int
    number: int | None
    quality: str | None


def cache_item_kind(access: Access, request: Request) -> Kind:
    actor = observation(request.scope).actor
    return f"{access}:cache_item", _item(request), actor.user_id if actor else None


def cache_item_event(access: Access, request: Request, time: datetime) -> ServerEvent:
    """The count is yet to come, and the size: of all that are counted together."""
    item = _item(request)
    payload: dict[str, Any] = {"cache_item": item._asdict(), "queue": QUEUE}
    payload["request"] = {
        "id": getattr(request.state, "request_id", None),
        "user_agent": request.headers.get("user-agent", "")[:MAX_VALUE],
    }
    event: ServerEvent = {
        "scope": f"{access}:cache_item",
        "timestamp": time.isoformat(),
        "count": 0,
        "payload": payload,
    }
    if item.target == "task":
        event["task_id"] = item.target_id
    elif item.target == "job":
        event["job_id"] = item.target_id
    elif item.target == "project":
        event["project_id"] = item.target_id
    about_user(event, observation(request.scope).actor)
    return event


def _item(request: Request) -> _Item:
    """From the path and the query, which have been found to be right: `/api/jobs/5/data?type=chunk&index=0`."""
    _, noun, number, *_ = request.url.path.strip("/").split("/")
    query = request.query_params
    kind = query.get("type") if "/data" in request.url.path else PREVIEW
    which = query.get("number") or query.get("index")
    return _Item(
        type=kind or PREVIEW,
        target=noun.removesuffix("s"),
        target_id=int(number),
        number=None if kind == PREVIEW or which is None else int(which),
        quality=None if kind == PREVIEW else query.get("quality", "compressed"),
    )
