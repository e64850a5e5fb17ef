"""What happened to requests, in words."""

from __future__ import annotations

from urllib.parse import parse_qsl

from cli.phrases.words import phrase
from domain.events.request import (
    LeaseExpired,
    RequestCancelled,
    RequestFailed,
    RequestFinished,
    RequestQueued,
    RequestStarted,
)


@phrase(RequestQueued)
def _(body: RequestQueued) -> str:
    return f"asked to {_work(body.request_id)}"


@phrase(RequestStarted)
def _(body: RequestStarted) -> str:
    again = f" (attempt {body.attempt})" if body.attempt > 1 else ""
    return f"began to {_work(body.request_id)}{again}"


@phrase(LeaseExpired)
def _(body: LeaseExpired) -> str:
    return f"took back from a silent agent the request to {_work(body.request_id)}"


@phrase(RequestFinished)
def _(body: RequestFinished) -> str:
    return f"finished the request to {_work(body.request_id)}"


@phrase(RequestFailed)
def _(body: RequestFailed) -> str:
    return f"could not {_work(body.request_id)}: {body.message}"


@phrase(RequestCancelled)
def _(body: RequestCancelled) -> str:
    return f"cancelled the request to {_work(body.request_id)}"


def _work(request_id: str) -> str:
    """What a request is about, from its id (`action=create&target=task&target_id=7`)."""
    parts = dict(parse_qsl(request_id))
    action, target = parts.get("action", "do"), parts.get("target", "")
    number = parts.get("target_id") or parts.get("id", "")
    if (action, target) == ("create", "task"):
        return f"prepare the data of task {number}"
    if target == "events":
        return f"{action} events"  # the number of such an export is none of what is in it
    what = f"{parts['subresource']} of {target}" if "subresource" in parts else target
    return f"{action} {what} {number}".strip() if target else f"do {request_id}"
