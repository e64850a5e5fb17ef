"""In front of the application when it serves a copy: nothing is changed, and nothing is said of what came later."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from urllib.parse import parse_qs

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.caller import SAFE_METHODS
from api.responses import json_response

ANNOTATIONS = re.compile(r"/api/(jobs|tasks)/\d+/annotations/?")
OF_THE_LOG = re.compile(r"/api/(jobs|tasks)/\d+/annotations/(history|diff)(/.*)?|/api/log(/.*)?|/api/events(/.*)?")
"""What is read from the whole log, so also from behind the copy's position."""

NOT_OFFERED = "Not offered on a copy: ask the present server"


class ReadOnly:
    """`position`: of the last event in the copy; `time`: its time, None for the copy of an empty log."""

    def __init__(self, app: ASGIApp, position: int, time: datetime | None) -> None:
        self._app = app
        moment = f"{time.astimezone(UTC).isoformat().replace('+00:00', 'Z')}" if time else "the beginning"
        self._refusal = f"This is a read-only copy of {moment}"
        self._as_of = f"position={position}" + (f"; time={moment}" if time else "")

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)["Annals-As-Of"] = self._as_of
            await send(message)

        if scope["method"] not in SAFE_METHODS:
            await json_response({"detail": self._refusal}, 403)(scope, receive, marked)
        elif _of_the_log(scope):
            await json_response({"detail": NOT_OFFERED}, 404)(scope, receive, marked)
        else:
            await self._app(scope, receive, marked)


def _of_the_log(scope: Scope) -> bool:
    path = scope["path"]
    if OF_THE_LOG.fullmatch(path):
        return True
    query = parse_qs(scope["query_string"].decode("latin-1"), keep_blank_values=True)
    return not query.keys().isdisjoint({"version", "as_of"}) and ANNOTATIONS.fullmatch(path) is not None
