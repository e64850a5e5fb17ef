"""Request bodies that are too large for memory, taken piece by piece: a thread works while the next piece comes in."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect, Request

from domain.errors import Invalid, TooLarge

PIECE = 256 * 1024
"""Bytes that are worth a hand-over to a thread."""

MOST_AHEAD = 1024 * 1024
"""Bytes that wait in memory while a thread is busy with the piece before; then the client has to wait."""

SILENCE_SECONDS = 60.0
"""After this long without a byte the client counts as gone."""


async def take_in(request: Request, limit: int, consume: Callable[[bytes], None]) -> int:
    """Hands the body to `consume`, piece after piece, in a worker thread; returns its length in bytes.

    No thread is in `consume` any more when this returns or raises. Raises what `consume` raises, TooLarge for more than
    `limit` bytes, Invalid when the client goes away in the middle.
    """
    check_announced(request, limit)
    pump = _Pump(consume)
    total = 0
    try:
        async for data in _arriving(request):
            total += len(data)
            if total > limit:
                raise TooLarge
            await pump.push(data)
        await pump.flush()
    finally:
        await pump.settle()
    return total


def check_announced(request: Request, limit: int) -> None:
    """Raises TooLarge when the request says itself that its body has more than `limit` bytes."""
    announced = request.headers.get("content-length", "")
    if announced.isascii() and announced.isdigit() and int(announced) > limit:
        raise TooLarge


async def _arriving(request: Request) -> AsyncIterator[bytes]:
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(SILENCE_SECONDS):
                data = await anext(stream, None)
        except (ClientDisconnect, TimeoutError):
            raise Invalid(["The request body ended before it was complete"]) from None
        if data is None:
            return
        yield data


class _Pump:
    """Gathers bytes while one thread at a time works on those gathered before."""

    def __init__(self, consume: Callable[[bytes], None]) -> None:
        self._consume = consume
        self._gathered = bytearray()
        self._work: asyncio.Task[None] | None = None

    async def push(self, data: bytes) -> None:
        self._gathered += data
        if len(self._gathered) < PIECE:
            return
        if self._work is None or self._work.done() or len(self._gathered) >= MOST_AHEAD:
            await self._hand_over()

    async def flush(self) -> None:
        await self._hand_over()
        await self._finish()

    async def settle(self) -> None:
        """Wait for the thread, whatever becomes of its work, even if this request is cancelled meanwhile."""
        if self._work is not None and not self._work.done():
            await asyncio.wait({self._work})

    async def _hand_over(self) -> None:
        await self._finish()
        piece, self._gathered = bytes(self._gathered), bytearray()
        self._work = asyncio.ensure_future(run_in_threadpool(self._consume, piece))

    async def _finish(self) -> None:
        await self.settle()
        if self._work is not None:
            self._work.result()
