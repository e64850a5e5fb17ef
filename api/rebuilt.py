"""Answers put together again, when the log says that something was done and the first answer is lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope

from api.responses import json_response
from api.services import Services
from domain.annotation.document import KINDS
from domain.event import Event
from domain.events.annotations import AnnotationsChanged, AnnotationsReplaced
from domain.events.project import ProjectCreated
from domain.events.request import RequestQueued
from domain.events.task import TaskCreated
from infra.postgres.answers import Recorded

CREATIONS = {TaskCreated.type_name: "/api/tasks/", ProjectCreated.type_name: "/api/projects/"}
BATCH = 1_000


async def rebuilt(app: ASGIApp, services: Services, scope: Scope, recorded: Recorded) -> Response:
    """What the request that recorded this event was answered, as far as it can be told today."""
    path = scope["path"].rstrip("/")
    if scope["method"] == "DELETE":
        return Response(status_code=204)
    if recorded.type in CREATIONS:
        number = recorded.stream.rpartition("-")[2]
        return await _get(app, scope, CREATIONS[recorded.type] + number, 201)
    if recorded.stream.startswith("annotations-") and scope["method"] == "PATCH":
        return json_response(_drawn(services, recorded))
    if scope["method"] in ("PATCH", "PUT"):
        response = await _get(app, scope, path, 200)
        if response.status_code == 200:
            return response
    for event in _save(services, recorded):
        if isinstance(event.body, RequestQueued):
            return json_response({"rq_id": event.body.request_id}, 202)
    text = "This was done; its answer is lost, because the server was stopped before it was given"
    return json_response({"detail": text, "event": f"{recorded.stream}@{recorded.version}"})


async def collected(app: ASGIApp, scope: Scope, receive: Receive) -> Response:
    """The whole answer of an application. Raises ClientDisconnect when there is none, because nobody waits for it."""
    start: Message = {}
    body = bytearray()

    async def send(message: Message) -> None:
        if message["type"] == "http.response.start":
            start.update(message)
        elif message["type"] == "http.response.body":
            body.extend(message.get("body", b""))

    await app(scope, receive, send)
    if not start:
        raise ClientDisconnect
    response = Response(bytes(body), start["status"])
    response.raw_headers = list(start["headers"])
    return response


async def _get(app: ASGIApp, scope: Scope, path: str, status: int) -> Response:
    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    asked = {**scope, "method": "GET", "path": path, "raw_path": path.encode(), "query_string": b""}
    asked["headers"] = [(name, value) for name, value in scope["headers"] if not name.startswith(b"content-")]
    asked["state"] = {}
    response = await collected(app, asked, receive)
    if response.status_code == 200:
        response.status_code = status
    return response


def _save(services: Services, recorded: Recorded) -> Iterator[Event]:
    """The events that were recorded together with this one, which is their first."""
    recorder, mapper = services.app.recorder, services.app.mapper
    first = None
    position = recorded.position
    while rows := recorder.select_notifications(position, BATCH):
        for row in rows:
            event: Any = mapper.to_domain_event(row)
            circumstances = (event.meta.time, event.meta.correlation_id, event.meta.actor_id)
            if first is None:
                first = circumstances
            if circumstances != first:
                return
            yield event
        position = rows[-1].id + 1


def _drawn(services: Services, recorded: Recorded) -> dict[str, Any]:
    """The objects that were created or redrawn."""
    document: dict[str, Any] = {"version": 0, **{kind: [] for kind in KINDS}}
    for event in _save(services, recorded):
        body = event.body
        if isinstance(body, AnnotationsChanged):
            for kind in KINDS:
                document[kind] += [*body.updated.get(kind, []), *body.created.get(kind, [])]
        elif isinstance(body, AnnotationsReplaced):
            for kind in KINDS:
                document[kind] += body.created.get(kind, [])
    return document
