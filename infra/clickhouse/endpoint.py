"""The ClickHouse HTTP interface of the embedded engine, as an ASGI application.

`GET /ping`, `GET /replicas_status`, and statements at `/` by GET (read-only) and POST: in the `query` parameter, in the
body, or half in each; an INSERT's data follows its statement. Answers carry the X-ClickHouse headers; errors are
`Code: N. DB::Exception: …` with X-ClickHouse-Exception-Code.

The event loop owns the sockets and the pipes, so that slow clients cost no thread; statements run in a bounded pool.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import uuid
from collections.abc import AsyncIterator, Coroutine, Iterable, Mapping
from concurrent.futures import Executor as Pool
from typing import Any, Final, TypeVar

from infra.clickhouse.answer import Answer, Headers, Send, progress_line, result_headers, server_headers
from infra.clickhouse.body import Body, Disconnected, Receive
from infra.clickhouse.early_headers import EARLY_HEADERS
from infra.clickhouse.engine import Engine
from infra.clickhouse.errors import Code, QueryFailed
from infra.clickhouse.execution import Executor
from infra.clickhouse.forms import is_form, with_form
from infra.clickhouse.killing import SYNC_SECONDS, Kill
from infra.clickhouse.limits import MIB, Limits
from infra.clickhouse.protocol import ADMIT, Admit
from infra.clickhouse.queries import Queries, Query
from infra.clickhouse.request import Request, parse_request
from infra.clickhouse.running import Running
from infra.clickhouse.statement import first_word
from infra.clickhouse.users import ANYBODY, Role, User, Users

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

    def __init__(self, engine: Engine, pools: Mapping[Role, Pool], users: Users, limits: Limits) -> None:
        self._engine, self._pools, self._users, self._limits = engine, pools, users, limits
        at_once = {Role.READER: limits.reader_concurrency, Role.WRITER: limits.writer_concurrency}
        self._queries = Queries(at_once, limits.waiting)
        self._executor = Executor(engine, limits, self._kill)
        self._loop: asyncio.AbstractEventLoop | None = None

    def end(self) -> None:
        """Stops the queries that still run, when the event loop has ended."""
        self._executor.end()

    async def __call__(self, scope: Any, receive: Receive, send: Send) -> None:
        self._loop = asyncio.get_running_loop()
        early = scope["extensions"].get(EARLY_HEADERS)
        answer = Answer(send, self._limits.silence, self._engine.version, early)
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
        admit: Admit = scope["extensions"][ADMIT]
        if path in _OK and method in ("GET", "HEAD"):
            admit(ANYBODY)
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
                user = await self._users.enter(request.credentials, (scope.get("client") or ("",))[0])
                admit(user)
                body = Body(receive, self._limits.silence, self._limits.body_seconds)
                await self._statement(request, request.user(user), body, answer, headers)

    async def _statement(self, request: Request, user: User, body: Body, answer: Answer, headers: Headers) -> None:
        chunks: Iterable[bytes]
        if is_form(request):
            form = await body.read(self._limits.form)
            request, chunks = with_form(request, form, self._limits.form), ()
        elif user.role is Role.READER:  # must not hold a thread with a body that never ends
            chunks = (await body.read(self._limits.query_text),)
        else:
            chunks = body.blocking(asyncio.get_running_loop())
        async with self._queries.begun(request.query_id, user, replace=request.replace) as query:
            gone = asyncio.ensure_future(body.disconnected())
            try:
                async with self._turn(request, chunks, user, gone):
                    await self._run(request, query, chunks, gone, answer, headers)
            finally:
                gone.cancel()

    @contextlib.asynccontextmanager
    async def _turn(
        self, request: Request, chunks: Iterable[bytes], user: User, gone: asyncio.Future[None]
    ) -> AsyncIterator[None]:
        """Waits for the user's turn, as long as the client does."""
        text = request.query or b"".join(chunks if isinstance(chunks, tuple) else ()).decode(errors="replace")
        turn = self._queries.turn(user, kills=first_word(text) == "KILL")
        taken = asyncio.ensure_future(turn.acquire())
        try:
            either: set[asyncio.Future[Any]] = {taken, gone}
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            if gone.done():
                raise Disconnected
            yield
        finally:
            if not taken.cancel():
                turn.release()

    async def _run(
        self,
        request: Request,
        query: Query,
        chunks: Iterable[bytes],
        gone: asyncio.Future[None],
        answer: Answer,
        headers: Headers,
    ) -> None:
        running = Running(self._executor)
        try:
            await running.start(self._pools[query.user.role], request, query.user, chunks)
            await self._relay(running, gone, request, answer, headers)
        finally:
            query.ending = True
            await running.stop()

    async def _relay(
        self, running: Running, gone: asyncio.Future[None], request: Request, answer: Answer, headers: Headers
    ) -> None:
        first = await self._first(running, gone, request, answer)
        if len(first) <= (_WHOLE if request.whole else _SMALL):
            await answer.whole(first, {**headers, **result_headers(running.progress)}, request.coding)
            return
        await answer.begin({**headers, **result_headers(running.progress)}, request.coding)
        while first:
            await answer.part(first)
            first = await _unless_gone(gone, running.read(_PART))
        await running.finish()
        await answer.end()

    async def _first(self, running: Running, gone: asyncio.Future[None], request: Request, answer: Answer) -> bytes:
        """All of a small result, when it has ended, or the beginning; meanwhile the client hears of the progress."""
        result = asyncio.ensure_future(_up_to(running, _WHOLE if request.whole else _SMALL))
        try:
            while True:
                either: set[asyncio.Future[Any]] = {result, gone}
                await asyncio.wait(either, timeout=request.progress_seconds, return_when=asyncio.FIRST_COMPLETED)
                if gone.done():  # also when there is more to read: there always is, in a large result
                    raise Disconnected
                if result.done():
                    return result.result()
                if seen := await asyncio.to_thread(self._executor.look, running.progress):
                    answer.early(progress_line(running.progress, seen))
        finally:
            result.cancel()

    def _kill(self, kill: Kill, user: User) -> list[str]:
        """For the threads of the executor."""
        assert self._loop is not None
        wait = SYNC_SECONDS if kill.sync else 0.0
        return asyncio.run_coroutine_threadsafe(self._queries.kill(kill.query_id, user, wait), self._loop).result()


async def _up_to(running: Running, size: int) -> bytes:
    """The whole result, when it has ended, if it is not larger than `size`; else a little more than `size` of it."""
    parts: list[bytes] = []
    while size >= 0 and (part := await running.read(_PART)):
        parts.append(part)
        size -= len(part)
    if size >= 0:
        await running.finish()
    return b"".join(parts)


async def _unless_gone(gone: asyncio.Future[None], work: Coroutine[Any, Any, T]) -> T:
    """The outcome of `work`; raises Disconnected as soon as the client is gone."""
    task = asyncio.ensure_future(work)
    try:
        either: set[asyncio.Future[Any]] = {task, gone}
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if gone.done():
            raise Disconnected
        return task.result()
    finally:
        task.cancel()
