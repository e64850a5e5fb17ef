"""Requests: processing work that is queued, taken up by an agent under a lease, and finished or failed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from domain.errors import Conflict, Invalid, NotFound, RequestInProgress
from domain.event import Body, Context
from domain.events.request import (
    LeaseExpired,
    RequestCancelled,
    RequestFailed,
    RequestFinished,
    RequestQueued,
    RequestStarted,
)
from domain.ports import Log
from domain.retry import decide_again

MAX_ATTEMPTS = 5
"""A request whose agents died this often fails: it is likely what kills them."""


@dataclass(frozen=True)
class Request:
    """What decisions need to know of a request. `status`: queued, started, finished, failed or cancelled."""

    queued: RequestQueued
    status: str
    agent: str | None = None
    attempt: int = 0

    @property
    def in_progress(self) -> bool:
        return self.status in ("queued", "started")


def evolve(request: Request | None, body: Body) -> Request | None:
    if isinstance(body, RequestQueued):
        return Request(body, "queued")
    if request is None:
        return None
    if isinstance(body, RequestStarted):
        return replace(request, status="started", agent=body.agent, attempt=body.attempt)
    if isinstance(body, LeaseExpired):
        return replace(request, status="queued", agent=None)
    if isinstance(body, RequestFinished):
        return replace(request, status="finished")
    if isinstance(body, RequestFailed):
        return replace(request, status="failed")
    if isinstance(body, RequestCancelled):
        return replace(request, status="cancelled")
    return request


def request_id(**parts: object) -> str:
    """CVAT's deterministic id: `key=value` joined by `&`, empty values dropped, `.` as `~` and space as `_`."""
    order = ("action", "target", "target_id", "id", "user_id", "lightweight", "format", "subresource")
    pairs = ((key, parts.get(key)) for key in order)
    return "&".join(f"{key}={str(value).replace('.', '~').replace(' ', '_')}" for key, value in pairs if value)


class Requests:
    """The use cases of requests."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def free(self, request_id: str) -> int:
        """The version at which it may be queued (again). Raises RequestInProgress while it is being processed."""
        request, version = self._log.load(f"request-{request_id}", evolve, None)
        if request is not None and request.in_progress:
            raise RequestInProgress(request_id)
        return version

    def start(self, context: Context, request_id: str, agent: str) -> Request:
        """An agent takes the request up. Raises VersionConflict when another was faster, Conflict when
        it does not wait.
        """
        request, version = self._known(request_id)
        if request.status != "queued":
            raise Conflict(f"Request {request_id} is {request.status}")
        body = RequestStarted(request_id, agent, request.attempt + 1)
        self._log.record(context, [body], {body.stream: version})
        return replace(request, status="started", agent=agent, attempt=body.attempt)

    @decide_again
    def cancel(self, context: Context, request_id: str) -> None:
        """Calls off what waits, and exports also while they run: an import may be about to be recorded. Raises
        NotFound, and Invalid when it is too late.
        """
        request, version = self._known(request_id)
        if request.status == "cancelled":
            raise NotFound
        if not request.in_progress:
            raise Invalid([f"The request is {request.status}: only one that is in progress can be cancelled"])
        if request.status == "started" and request.queued.action != "export":
            raise Invalid(["The request is being worked on: it can't be cancelled any more"])
        self._log.record(
            context, [RequestCancelled(request_id, request.queued.task_id)], {f"request-{request_id}": version}
        )

    @decide_again
    def expire(self, context: Context, request_id: str, agent: str, last_beat: Any) -> bool:
        """Takes the request back from an agent that has gone silent; after MAX_ATTEMPTS it fails instead. False when
        that agent no longer has it.
        """
        request, version = self._known(request_id)
        if request.status != "started" or request.agent != agent:
            return False
        bodies: list[Body] = [LeaseExpired(request_id, agent, last_beat)]
        if request.attempt >= MAX_ATTEMPTS:
            message = f"{request.attempt} agents stopped while working on this request; it is not tried again"
            bodies.append(RequestFailed(request_id, request.queued.task_id, message))
        self._log.record(context, bodies, {bodies[0].stream: version})
        return True

    def finish(
        self,
        context: Context,
        request: Request,
        work: list[Body],
        result: dict[str, Any],
        expect: Mapping[str, int] | None = None,
    ) -> None:
        """Records the work and its end in one go. `expect`: the versions of the streams that the work was made from.
        Raises Conflict when the lease was lost, VersionConflict for a stream that has moved.
        """
        queued = request.queued
        self._end(context, request, work, RequestFinished(queued.request_id, queued.task_id, result), expect or {})

    def fail(self, context: Context, request: Request, message: str, stack: str = "") -> None:
        """Raises Conflict when the lease was lost."""
        queued = request.queued
        self._end(context, request, [], RequestFailed(queued.request_id, queued.task_id, message, stack), {})

    def _end(
        self,
        context: Context,
        request: Request,
        work: list[Body],
        end: RequestFinished | RequestFailed,
        expect: Mapping[str, int],
    ) -> None:
        now, version = self._known(end.request_id)
        if (now.status, now.agent, now.attempt) != ("started", request.agent, request.attempt):
            raise Conflict(f"Request {end.request_id} was taken from {request.agent}")
        self._log.record(context, [*work, end], {**expect, end.stream: version})

    def _known(self, request_id: str) -> tuple[Request, int]:
        request, version = self._log.load(f"request-{request_id}", evolve, None)
        if request is None:
            raise NotFound
        return request, version
