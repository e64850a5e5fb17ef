"""Processing requests. The scopes are our own; a failure is also an exception, as CVAT reports failed work."""

from __future__ import annotations

import re
from typing import Any

from consumers.forwarder.transform.row import Row, described, transforms
from domain.events.request import (
    LeaseExpired,
    RequestCancelled,
    RequestFailed,
    RequestFinished,
    RequestQueued,
    RequestStarted,
)

DIGITS = re.compile(r"[0-9]{1,18}\Z")


@transforms(RequestQueued)
def queued(body: RequestQueued) -> list[Row]:
    payload = described(body, "queue", "action", "target", "subresource", "owner_id", "owner")
    settings = {key: value for key, value in body.params.items() if isinstance(value, str | int | float | bool)}
    place = _place(body.request_id)
    rows = [Row("queue:request", body.request_id, payload={**payload, "params": settings}, **place)]
    if body.action in ("export", "import") and body.subresource in ("annotations", "dataset"):
        asked = ("format", "save_images") if body.action == "export" else ("format",)
        options = {key: settings[key] for key in asked if key in settings}
        # Nothing goes to a cloud storage of CVAT's kind, or comes from one.
        rows.append(Row(f"{body.action}:dataset", payload={**options, "cloud_storage": {"id": None}}, **place))
    return rows


@transforms(RequestStarted)
def started(body: RequestStarted) -> list[Row]:
    payload = described(body, "agent", "attempt")
    return [Row("start:request", body.request_id, payload=payload, **_place(body.request_id))]


@transforms(LeaseExpired)
def expired(body: LeaseExpired) -> list[Row]:
    payload = described(body, "agent", "last_beat")
    return [Row("expire:request", body.request_id, payload=payload, **_place(body.request_id))]


@transforms(RequestFinished)
def finished(body: RequestFinished) -> list[Row]:
    payload = {"result": body.result}
    return [Row("finish:request", body.request_id, payload=payload, **_place(body.request_id))]


@transforms(RequestFailed)
def failed(body: RequestFailed) -> list[Row]:
    place = _place(body.request_id)
    return [
        Row("fail:request", body.request_id, payload=described(body, "message"), **place),
        Row("send:exception", body.request_id, amount=1, payload=described(body, "message", "stack"), **place),
    ]


@transforms(RequestCancelled)
def cancelled(body: RequestCancelled) -> list[Row]:
    return [Row("cancel:request", body.request_id, **_place(body.request_id))]


def _place(request_id: str) -> dict[str, Any]:
    """The project, task or job that a request is about, from its id (`action=create&target=task&target_id=7`): most
    events of a request don't name it otherwise.
    """
    parts = dict(part.partition("=")[::2] for part in request_id.split("&"))
    target, target_id = parts.get("target"), parts.get("target_id", "")
    if target not in ("project", "task", "job") or not DIGITS.match(target_id):
        return {}
    return {f"{target}_id": int(target_id)}
