"""What is seen of each request: counted for Prometheus, and told to the log when it was refused or failed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from time import perf_counter

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from domain.event import Actor
from infra.metrics import http

KEY = "annals.observation"
OTHER = "other"
"""The route of what no route answers: static files, the web UI, and paths that do not exist."""

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
CLIENT_GONE = 499
"""The status of what nobody waited for, as nginx has it."""


@dataclass(slots=True)
class Observation:
    """What is learnt of a request on the way to its answer. `route`: as declared; `action`: the function that answers;
    `error`: what it raised; `actor`: whose request it is, None when that was not asked.
    """

    route: str = OTHER
    action: str = ""
    error: Exception | None = None
    actor: Actor | None = None


def observation(scope: Scope) -> Observation:
    """The same for all who work on a request, also on a copy of its scope."""
    found: Observation | None = scope.get(KEY)
    if found is None:
        found = scope[KEY] = Observation()
    return found


@dataclass(frozen=True, slots=True)
class Outcome:
    """A request and how it was answered. `method`: one of METHODS or OTHER."""

    scope: Scope
    method: str
    seen: Observation
    status: int


class Observed:
    """In front of everything else. `on_refusal` is told, before the next request, of each answer from 400 upwards."""

    def __init__(self, app: ASGIApp, on_refusal: Callable[[Outcome], object]) -> None:
        self._app = app
        self._on_refusal = on_refusal

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        seen = scope[KEY] = Observation()
        status = CLIENT_GONE

        async def watched(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        began = perf_counter()
        try:
            await self._app(scope, receive, watched)
        finally:
            seconds = perf_counter() - began
            method = scope["method"] if scope["method"] in METHODS else OTHER
            http.answered(method, seen.route, status, seconds)
            if status >= 400 and status != CLIENT_GONE:
                self._on_refusal(Outcome(scope, method, seen, status))
