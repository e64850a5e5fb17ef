"""The body of a request: read whole for readers, streamed into a worker thread for the writer."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, MutableMapping
from concurrent.futures import CancelledError
from typing import Any

from infra.clickhouse.errors import Code, QueryFailed

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]


class Disconnected(Exception):
    """The client went away in the middle."""


class Body:
    """`silence`: seconds without a byte after which the client is given up; `whole`: seconds for all of it, if it is
    read at once.
    """

    def __init__(self, receive: Receive, silence: float, whole: float) -> None:
        self._receive, self._silence, self._whole = receive, silence, whole
        self._complete = asyncio.Event()

    async def chunk(self) -> bytes:
        """The next part; empty at the end. Raises Disconnected, or QueryFailed when the client sends nothing more."""
        while not self._complete.is_set():
            try:
                async with asyncio.timeout(self._silence):
                    message = await self._receive()
            except TimeoutError:
                text = f"The client sent nothing for {self._silence:g} s"
                raise QueryFailed(Code.SOCKET_TIMEOUT, text) from None
            if message["type"] == "http.disconnect":
                raise Disconnected
            if not message.get("more_body", False):
                self._complete.set()
            if data := message.get("body", b""):
                return bytes(data)
        return b""

    async def read(self, limit: int) -> bytes:
        """All of it, or the first `limit` bytes and a little more when it is longer. Raises as `chunk`, and QueryFailed
        when it comes too slowly.
        """
        parts: list[bytes] = []
        size = 0
        try:
            async with asyncio.timeout(self._whole):
                while size <= limit and (part := await self.chunk()):
                    parts.append(part)
                    size += len(part)
        except TimeoutError:
            text = f"The statement was not there within {self._whole:g} s"
            raise QueryFailed(Code.SOCKET_TIMEOUT, text) from None
        return b"".join(parts)

    def blocking(self, loop: asyncio.AbstractEventLoop) -> Iterator[bytes]:
        """The parts, for a thread that is not the event loop's."""
        while part := self._wait(loop):
            yield part

    def _wait(self, loop: asyncio.AbstractEventLoop) -> bytes:
        future = asyncio.run_coroutine_threadsafe(self.chunk(), loop)
        try:
            return future.result(self._silence + 5)
        except (CancelledError, TimeoutError):
            raise Disconnected from None

    async def disconnected(self) -> None:
        """Returns when the client has gone away, after its body was read."""
        await self._complete.wait()
        while (await self._receive())["type"] != "http.disconnect":
            pass
