"""A statement that runs in a worker thread while the event loop takes its result from a pipe."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
from collections.abc import Iterable
from concurrent.futures import Executor as Pool
from typing import Final

from infra.clickhouse.engine import new_mark
from infra.clickhouse.execution import Executor, Progress
from infra.clickhouse.native import CUSTOM_SERIALIZATION, NativeFraming
from infra.clickhouse.request import Request
from infra.clickhouse.users import User

_PIPE: Final = 256 * 1024
_KILL_AGAIN: Final = 0.5


class Running:
    """Begun by `start`; `read` to the end and `finish`, or `stop`."""

    def __init__(self, executor: Executor) -> None:
        self.progress = Progress(new_mark())
        self._executor = executor
        self._framing: NativeFraming | None = None
        self._result: asyncio.Future[None]
        self._pipe: asyncio.StreamReader
        self._transport: asyncio.ReadTransport

    async def start(self, pool: Pool, request: Request, user: User, chunks: Iterable[bytes]) -> None:
        loop = asyncio.get_running_loop()
        out, into = os.pipe()
        with contextlib.suppress(OSError, AttributeError):
            fcntl.fcntl(into, fcntl.F_SETPIPE_SZ, _PIPE)
        self._pipe = asyncio.StreamReader(_PIPE)
        self._transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(self._pipe), os.fdopen(out, "rb", buffering=0)
        )

        def work() -> None:
            try:
                self._executor.execute(request, user, chunks, into, self.progress)
            finally:
                os.close(into)

        self._result = loop.run_in_executor(pool, work)
        if request.revision >= CUSTOM_SERIALIZATION:
            self._framing = NativeFraming()

    async def read(self, size: int) -> bytes:
        """The next part of the result; empty at its end, also when the statement failed."""
        part = await self._pipe.read(size)
        if part and self._framing and self.progress.format.lower() == "native":
            return await asyncio.to_thread(self._framing.feed, part)
        return part

    async def finish(self) -> None:
        """Waits for the end of the statement. Raises what it failed with: QueryFailed as a rule."""
        try:
            await asyncio.shield(self._result)
        finally:
            self._transport.close()

    async def stop(self) -> None:
        """Ends a query that nobody waits for any more, and waits until its thread is free."""
        self.progress.cancelled = True  # at once, for what has not begun
        self._transport.close()
        loop = asyncio.get_running_loop()
        while not self._result.done():
            await loop.run_in_executor(None, self._executor.cancel, self.progress)
            await asyncio.wait({self._result}, timeout=_KILL_AGAIN)
        if not self._result.cancelled():
            self._result.exception()
