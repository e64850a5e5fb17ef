"""An application whose JSON answers are checked against CVAT's description of its API, whoever asks."""

from __future__ import annotations

from functools import cache
from typing import Any

import orjson
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from .cvat_schema import CvatSchema

MAX_BYTES = 4 * 1024 * 1024
"""A longer answer is not looked at."""


@cache
def cvat_schema() -> CvatSchema:
    return CvatSchema()


class Checked:
    """`problems`: what was found so far, each once."""

    def __init__(self, app: ASGIApp, problems: list[str]) -> None:
        self._app = app
        self._problems = problems

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] == "HEAD":
            await self._app(scope, receive, send)
            return
        answer = _Answer()

        async def noted(message: Message) -> None:
            answer.note(message)
            await send(message)

        await self._app(scope, receive, noted)
        if answer.is_json:
            self._check(scope, answer)

    def _check(self, scope: Scope, answer: _Answer) -> None:
        try:
            cvat_schema().check(scope["method"], scope["path"], answer.status, orjson.loads(bytes(answer.body)))
        except AssertionError as problem:
            if str(problem) not in self._problems:
                self._problems.append(str(problem))


class _Answer:
    def __init__(self) -> None:
        self.status = 0
        self.body = bytearray()
        self._kind = b""
        self._whole = False

    @property
    def is_json(self) -> bool:
        return self._whole and b"json" in self._kind and 0 < len(self.body) <= MAX_BYTES

    def note(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            headers: Any = dict(message["headers"])
            self._kind = headers.get(b"content-type", b"")
        elif len(self.body) <= MAX_BYTES:
            self.body += message.get("body", b"")
            self._whole = not message.get("more_body", False)
