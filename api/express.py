"""A short way to the routes that need no more than the request, numbers from the path and a body.

FastAPI's own way (middlewares, nested routers, the dependency solver) costs several times what such a route itself
does. The routes stay declared and documented as FastAPI routes; this only finds and calls them directly. Whatever it
doesn't know (texts in paths, static files, the schema) goes on to FastAPI.
"""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any, get_type_hints
from uuid import uuid4

from fastapi import APIRouter, FastAPI, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.requests import ClientDisconnect
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from api.bodies import RawBody, raw_json
from api.numbers import MAX_DIGITS
from api.observed import observation
from api.refused import refused

Key = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Plain:
    """A route as it is called: `path`, as declared; `numbers`, the names of the numbers in it; `body`, the parameter
    that takes its body, as it comes or, with a `model`, as one of those.
    """

    path: str
    endpoint: Callable[..., Any]
    numbers: tuple[str, ...]
    body: str | None
    model: type[BaseModel] | None
    is_async: bool


class Express:
    """The ASGI application in front of FastAPI's. `threads`: how many plain routes run at once."""

    def __init__(self, app: FastAPI, routers: list[APIRouter], threads: int) -> None:
        self.app = app
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="route")
        self._routes: dict[Key, _Plain] = {}
        for router in routers:
            for route in router.routes:
                if isinstance(route, APIRoute):
                    self._add(route)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = None
        if scope["type"] == "http":
            parts = scope["path"].strip("/").split("/")
            route = self._routes.get((scope["method"], *("#" if part.isdigit() else part for part in parts)))
        if route is None:
            await self.app(scope, receive, send)
            return
        numbers = [part for part in parts if part.isdigit()]
        if any(len(number) > MAX_DIGITS or not number.isascii() for number in numbers):
            await self.app(scope, receive, send)
            return
        await self._serve(route, [int(number) for number in numbers], scope, receive, send)

    async def _serve(self, route: _Plain, numbers: list[int], scope: Scope, receive: Receive, send: Send) -> None:
        request_id = str(uuid4())
        # What FastAPI's middleware would have put there; routes and services look for both.
        scope["app"] = self.app
        scope.setdefault("state", {})["request_id"] = request_id
        seen = observation(scope)
        seen.route, seen.action = route.path, route.endpoint.__name__
        request = Request(scope, receive, send)
        try:
            response = await self._call(route, numbers, request)
        except ClientDisconnect:
            return
        except Exception as error:
            response = await refused(request, error)
        response.headers["X-Request-Id"] = request_id
        await response(scope, receive, send)

    async def _call(self, route: _Plain, numbers: list[int], request: Request) -> Response:
        arguments: dict[str, Any] = dict(zip(route.numbers, numbers, strict=True))
        if route.body is not None:
            raw = await raw_json(request)
            arguments[route.body] = route.model.model_validate_json(raw or b"{}") if route.model else raw
        call = partial(route.endpoint, request, **arguments)
        result = call() if route.is_async else asyncio.get_running_loop().run_in_executor(self._threads, call)
        response: Response = await result
        return response

    def _add(self, route: APIRoute) -> None:
        plain = _plain(route)
        if plain is None:
            return
        parts = ["#" if part.startswith("{") else part for part in route.path.strip("/").split("/")]
        for method in route.methods or ():
            self._routes.setdefault((method, *parts), plain)


def _plain(route: APIRoute) -> _Plain | None:
    """None for a route that needs FastAPI."""
    hints = get_type_hints(route.endpoint, include_extras=True)
    names = list(inspect.signature(route.endpoint).parameters)
    numbers = tuple(name for name in names if hints[name] is int)
    models = {name: hints[name] for name in names if _is_model(hints[name])}
    bodies = [name for name in names if hints[name] == RawBody or name in models]
    known = {"request", *numbers, *bodies}
    if names[:1] != ["request"] or set(names) != known or len(bodies) > 1:
        return None
    if tuple(route.param_convertors) != numbers:
        return None
    body = bodies[0] if bodies else None
    model = models.get(body) if body is not None else None
    return _Plain(route.path, route.endpoint, numbers, body, model, inspect.iscoroutinefunction(route.endpoint))


def _is_model(hint: Any) -> bool:
    return isinstance(hint, type) and issubclass(hint, BaseModel)
