"""What happens to every request."""

from __future__ import annotations

from uuid import uuid4

from fastapi.routing import APIRoute
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.observed import observation


class RequestId:
    """Gives each request an id: `request.state.request_id`, X-Request-Id, and the correlation id of its events."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request_id = str(uuid4())
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_with_id(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["X-Request-Id"] = request_id
            await send(message)

        try:
            await self._app(scope, receive, send_with_id)
        finally:
            if isinstance(route := scope.get("route"), APIRoute):
                seen = observation(scope)
                seen.route, seen.action = route.path, route.endpoint.__name__
