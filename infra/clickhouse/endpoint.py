"""The ClickHouse HTTP interface of the embedded engine, as an ASGI application.

`GET /ping`, `GET /replicas_status`, and statements at `/` by GET (read-only) and POST: in the `query` parameter, in the
body, or half in each; an INSERT's data follows its statement. Answers carry the X-ClickHouse headers; errors are
`Code: N. DB::Exception: …` with X-ClickHouse-Exception-Code.

The event loop owns the sockets and the pipes, so that slow clients cost no thread; statements run in a bounded pool.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Coroutine, Iterable, Mapping
from concurrent.futures import Executor as Pool
from typing import Any, Final, TypeVar

from infra.clickhouse.access import Role, role_of
from infra.clickhouse.answer import Answer, Headers, Send, result_headers, server_headers
from infra.clickhouse.body import Body, Disconnected, Receive
from infra.clickhouse.engine import Engine
from infra.clickhouse.errors import Code, QueryFailed
from infra.clickhouse.execution import Executor
from infra.clickhouse.forms import is_form, with_form
from infra.clickhouse.limits import MIB, Limits
from infra.clickhouse.request import Request, parse_request
from infra.clickhouse.running import Running, too_many

T = TypeVar("T")
logger = logging.getLogger(__name__)

_OK: Final = frozenset({"/ping", "/replicas_status"})
_STATEMENTS: Final = frozenset({"/", "/query"})
_PART: Final = 256 * 1024
_SMALL: Final = MIB
"""Results up to this size go out in one piece, so that their headers know how the query ended."""
_WHOLE: Final = 16 * MIB
"""The same for clients that ask for it (wait_end_of_query); the rest of a larger result is streamed."""


class Endpoint:
    """The application. Statements run in the pool of the role that they run under."""

    def __init__(
        self, engine: Engine, executor: Executor, pools: Mapping[Role, Pool], writer_password: str, limits: Limits
    ) -> None:
        self._engine, self._executor, self._pools, self._limits = engine, executor, pools, limits
        self._password = writer_password
        self._running = dict.fromkeys(Role, 0)

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        answer = Answer(send, self._limits.silence, self._engine.version)
        headers = server_headers(str(uuid.uuid4()), self._engine.timezone)
        try:
            await self._route(scope, receive, answer, headers)
        except Disconnected:
            pass
        except QueryFailed as error:
            await self._report(answer, error, headers)
        except Exception as error:
            logger.exception("The ClickHouse endpoint failed on a request")
            await self._report(answer, QueryFailed(Code.POCO_EXCEPTION, f"Internal error: {error}"), headers)

    async def _report(self, answer: Answer, error: QueryFailed, headers: Headers) -> None:
        try:
            await answer.error(error, headers)
        except Disconnected:
            logger.debug("The client went away before its error message")

    async def _route(self, scope: Any, receive: Receive, answer: Answer, headers: Headers) -> None:
        path, method = scope["path"], scope["method"]
        if path in _OK and method in ("GET", "HEAD"):
            await answer.text("Ok.\n")
        elif path not in _STATEMENTS:
            await answer.text(f"There is no handle {path}\nUse / or /ping, as with a ClickHouse server.\n", 404)
        elif method not in ("GET", "HEAD", "POST"):
            await answer.text(f"Method {method} is not available here\n", 405, {"Allow": "GET, HEAD, POST"})
        else:
            names = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
            request = parse_request(method, scope["query_string"], names)
            headers["X-ClickHouse-Query-Id"] = request.query_id
            if method != "POST" and not request.query:
                await answer.text("Ok.\n")
            else:
                await self._statement(request, Body(receive, self._limits.silence), answer, headers)

    async def _statement(self, request: Request, body: Body, answer: Answer, headers: Headers) -> None:
        role = request.role(role_of(request.credentials.user, request.credentials.password, self._password))
        chunks: Iterable[bytes]
        if is_form(request):
            request, chunks = with_form(request, await body.read(self._limits.form)), ()
        elif role is Role.READER:  # must not hold a thread with a body that never ends
            chunks = (await body.read(self._limits.query_text),)
        else:
            chunks = body.blocking(asyncio.get_running_loop())
        if self._running[role] >= self._limits.concurrency + self._limits.waiting:
            raise too_many(self._running[role])
        self._running[role] += 1
        try:
            await self._run(request, role, chunks, body, answer, headers)
        finally:
            self._running[role] -= 1

    async def _run(
        self, request: Request, role: Role, chunks: Iterable[bytes], body: Body, answer: Answer, headers: Headers
    ) -> None:
        running = Running(self._executor)
        await running.start(self._pools[role], request, role, chunks)
        gone = asyncio.ensure_future(body.disconnected())
        try:
            await self._relay(running, gone, request, answer, headers)
        finally:
            gone.cancel()
            await running.stop()

    async def _relay(
        self, running: Running, gone: asyncio.Future[None], request: Request, answer: Answer, headers: Headers
    ) -> None:
        first = await _unless_gone(gone, _up_to(running, _WHOLE if request.whole else _SMALL))
        if len(first) <= (_WHOLE if request.whole else _SMALL):
            await _unless_gone(gone, running.finish())
            await answer.whole(first, {**headers, **result_headers(running.progress)}, request.accept_encoding)
            return
        await answer.begin({**headers, **result_headers(running.progress)}, request.accept_encoding)
        while first:
            await answer.part(first)
            first = await _unless_gone(gone, running.read(_PART))
        await running.finish()
        await answer.end()


async def _up_to(running: Running, size: int) -> bytes:
    """The whole result if it is not larger than `size`, else a little more than `size` of it."""
    parts: list[bytes] = []
    while size >= 0 and (part := await running.read(_PART)):
        parts.append(part)
        size -= len(part)
    return b"".join(parts)


async def _unless_gone(gone: asyncio.Future[None], work: Coroutine[Any, Any, T]) -> T:
    """The outcome of `work`; raises Disconnected as soon as the client is gone."""
    task = asyncio.ensure_future(work)
    try:
        either: set[asyncio.Future[Any]] = {task, gone}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if gone.done():  # also when there is more to read: there always is, in a large result
            raise Disconnected
        return task.result()
    finally:
        task.cancel()
