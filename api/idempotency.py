"""`Idempotency-Key`: whoever asks again gets the first answer, and nothing is done twice.

The key goes into the log with the save that the request makes, under a unique index. So a retry is right also when the
first answer was never written down: because the server was killed behind the commit, or because both came at once.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Callable
from typing import TypeVar

from starlette.datastructures import MutableHeaders
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from api.bodies import raw_json
from api.caller import SAFE_METHODS, identify
from api.errors import response_to
from api.express import Express
from api.rebuilt import collected, rebuilt
from api.responses import json_response
from api.services import Services
from domain.errors import AnnalsError, Conflict, Invalid
from domain.event import Once
from infra.postgres.answers import Answer, Claim, Found

T = TypeVar("T")
HEADER = "idempotency-key"
KEY = re.compile(r"[\x21-\x7e]{1,255}\Z")
WITH_SECRETS = ("/api/auth/",)
"""Answers under these paths hold secrets, and are never kept."""

STREAMED = ("multipart/", "application/offset+octet-stream")
"""Bodies that are too large to look at before; such requests are told apart by their headers."""

DESCRIBING = ("content-type", "content-length", "upload-offset", "upload-length", "upload-metadata", "upload-start",
    "upload-multiple", "upload-finish", "x-organization")  # fmt: skip
KEPT = ("content-type", "location", "etag", "upload-offset")
MAX_BODY = 1024 * 1024
"""Bytes. A larger answer is not kept, but put together again from the log."""

PATIENCE_SECONDS = 60.0
LOOK_SECONDS = 0.05
RELEASED = frozenset({401, 408, 409, 425, 429})
"""Refusals that a retry may not meet again, beside those of the server's own (5xx)."""


class Idempotency:
    """In front of the application. A request without a key costs a look at its method and headers."""

    def __init__(self, app: Express, services: Services) -> None:
        self.app = app
        self._services = services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in SAFE_METHODS:
            await self.app(scope, receive, send)
            return
        key = next((value for name, value in scope["headers"] if name == HEADER.encode()), None)
        if key is None:
            await self.app(scope, receive, send)
        elif scope["path"].startswith(WITH_SECRETS):
            await self.app(scope, receive, _with_header(send, "Idempotency-Key-Ignored", "true"))
        else:
            await self._keyed(key.decode("latin-1"), scope, receive, send)

    async def _keyed(self, key: str, scope: Scope, receive: Receive, send: Send) -> None:
        scope.setdefault("state", {})
        scope["app"] = self.app.app
        request = Request(scope, receive)
        try:
            if not KEY.match(key):
                raise Invalid(["Idempotency-Key must be 1 to 255 printable characters without blanks"])
            identity = await self._off_loop(lambda: identify(request))
            if identity is None or identity.actor.user_id is None:
                await self.app(scope, receive, send)  # which refuses it
                return
            body = await _body(request)
            claim = Claim(identity.actor.user_id, key, _fingerprint(request, body))
            response = await self._once(claim, scope, receive if body is None else _again(body, receive))
        except AnnalsError as error:
            response = response_to(request, error)
        except ClientDisconnect:
            return
        await response(scope, receive, send)

    async def _once(self, claim: Claim, scope: Scope, receive: Receive) -> Response:
        waited = 0.0
        while True:
            found = await self._off_loop(lambda: self._services.answers.find_or_claim(claim))
            if not found.same:
                text = "This Idempotency-Key was used for another request"
                return json_response({"detail": text}, 422)
            if found.answer is not None:
                return _replayed(found.answer)
            if found.mine:
                return await self._first(claim, found, scope, receive)
            if waited >= PATIENCE_SECONDS:
                raise Conflict("The first request with this Idempotency-Key is still being worked on")
            await asyncio.sleep(LOOK_SECONDS)
            waited += LOOK_SECONDS

    async def _first(self, claim: Claim, found: Found, scope: Scope, receive: Receive) -> Response:
        """The claim is ours: do it, unless the log says that it was done."""
        once = Once(claim.mark)
        try:
            if found.recorded is None:
                response = await self._run(once, scope, receive)
                if response.status_code < 400 or once.recorded:
                    return await self._keep(claim, response)
                # Perhaps refused because somebody whom we had taken for dead has recorded it in the meantime.
                found = await self._off_loop(lambda: self._services.answers.find_or_claim(claim))
                if found.recorded is None:
                    return await self._keep(claim, response)
            assert found.recorded is not None
            response = await rebuilt(self.app, self._services, scope, found.recorded)
            response.headers["Idempotency-Replayed"] = "true"
            return await self._keep(claim, response)
        except BaseException:
            await asyncio.shield(self._off_loop(lambda: self._services.answers.give_up(claim)))
            raise

    async def _run(self, once: Once, scope: Scope, receive: Receive) -> Response:
        return await collected(self.app, {**scope, "state": {**scope["state"], "once": once}}, receive)

    async def _keep(self, claim: Claim, response: Response) -> Response:
        answers = self._services.answers
        status, body = response.status_code, bytes(response.body)
        if status >= 500 or status in RELEASED or len(body) > MAX_BODY:
            await self._off_loop(lambda: answers.give_up(claim))
        else:
            headers = {name: response.headers[name] for name in KEPT if name in response.headers}
            await self._off_loop(lambda: answers.answer(claim, Answer(status, headers, body)))
        return response

    @staticmethod
    async def _off_loop(work: Callable[[], T]) -> T:
        return await asyncio.to_thread(work)


async def _body(request: Request) -> bytes | None:
    """None for one that is not looked at before it is worked on."""
    if request.headers.get("content-type", "").startswith(STREAMED):
        return None
    return await raw_json(request)


def _fingerprint(request: Request, body: bytes | None) -> bytes:
    digest = hashlib.sha256(f"{request.method} {request.url.path}?{request.url.query}\n".encode())
    if body is None:
        for name in DESCRIBING:
            value, _, _ = request.headers.get(name, "").partition(";")  # the boundary of a form is never the same
            digest.update(f"{name}: {value}\n".encode())
    else:
        digest.update(body)
    return digest.digest()


def _again(body: bytes, receive: Receive) -> Receive:
    """The body once more, for the application; then whatever else comes."""
    left = [{"type": "http.request", "body": body, "more_body": False}]

    async def replay() -> Message:
        return left.pop() if left else await receive()

    return replay


def _replayed(answer: Answer) -> Response:
    return Response(answer.body, answer.status, {**answer.headers, "Idempotency-Replayed": "true"})


def _with_header(send: Send, name: str, value: str) -> Send:
    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            MutableHeaders(scope=message)[name] = value
        await send(message)

    return sending
