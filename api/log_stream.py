"""The log as server-sent events."""

from __future__ import annotations

import asyncio
import math
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from api.waiting import Waiters
from domain.errors import AnnalsError, TooMany
from infra.eventlog.pages import SPAN, LogPages
from infra.eventlog.published import EventFilter, Published
from infra.eventlog.tail import Tail

MAX_STREAMS = 200
MAX_STREAMS_PER_USER = 20
BATCH = 500
LOOK_SECONDS = 10.0
"""How soon a stream ends whose reader may not read any more, and how often one without events says that it is there."""

RETRY_MILLISECONDS = 2_000
PAGES_AT_ONCE = 2
"""Readers that are behind and ask the database at the same time; the others wait, so that requests don't."""


class LogStreams:
    """The streams of one process."""

    def __init__(self, pages: LogPages) -> None:
        self._pages = pages
        self._waiters = Waiters()
        self._tail = Tail(pages, self._waiters.wake)
        self._open: Counter[int | None] = Counter()
        self._reading = asyncio.Semaphore(PAGES_AT_ONCE)
        self._stopped = False

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        self._waiters.bind(loop)

    def moved(self) -> None:
        """The log has grown. From any thread."""
        self._tail.moved()

    def stop(self) -> None:
        """Ends all streams. From any thread."""
        self._stopped = True
        self._waiters.wake()

    def check_room(self, user_id: int | None) -> None:
        """Raises TooMany."""
        if self._open[user_id] >= MAX_STREAMS_PER_USER:
            raise TooMany(f"You have {MAX_STREAMS_PER_USER} streams of events open already: close one first")
        if self._open.total() >= MAX_STREAMS:
            raise TooMany(f"{MAX_STREAMS} streams of events are open in this process, the most it serves")

    async def stream(
        self, wanted: EventFilter, user_id: int | None, look: Callable[[], int | None], after: int | None
    ) -> AsyncIterator[bytes]:
        """Server-sent events, for ever. `after` None: only what comes from now on. `look` tells who reads, None for one
        who may see everything, and is asked again and again; the stream ends when it raises an error.
        """
        async with self._counted(user_id):
            position = await asyncio.to_thread(self._pages.head) if after is None else after
            yield b"retry: %d\n\n" % RETRY_MILLISECONDS
            looked = -math.inf
            while not self._stopped:
                if time.monotonic() > looked + LOOK_SECONDS:
                    try:
                        viewer = await asyncio.to_thread(look)
                    except AnnalsError:
                        return
                    looked = time.monotonic()
                moved = self._waiters.ticket()
                events, reached = await self._next(wanted, viewer, position)
                if events:
                    yield b"".join(map(_message, events))
                if reached > position:
                    position = reached
                    continue
                try:
                    async with asyncio.timeout(LOOK_SECONDS):
                        await moved.wait()
                except TimeoutError:
                    yield b": still here\n\n"

    async def _next(self, wanted: EventFilter, viewer: int | None, position: int) -> tuple[list[Published], int]:
        """Events behind a position, and how far the log was looked through for them."""
        recent = self._tail.after(position, BATCH)
        if recent is None:
            async with self._reading:
                page = await asyncio.to_thread(self._pages.page, wanted, viewer, position, BATCH, SPAN)
            return page.events, page.reached
        if not recent:
            return [], position
        events = [event for event in recent if wanted.matches(event)]
        if viewer is not None and events:
            async with self._reading:
                events = await asyncio.to_thread(self._pages.visible, events, viewer)
        return events, recent[-1].position

    @asynccontextmanager
    async def _counted(self, user_id: int | None) -> AsyncIterator[None]:
        self._open[user_id] += 1
        try:
            self._tail.join(await asyncio.to_thread(self._pages.head))
            try:
                yield
            finally:
                self._tail.leave()
        finally:
            self._open[user_id] -= 1


def _message(event: Published) -> bytes:
    return b"id: %d\nevent: %s\ndata: %s\n\n" % (event.position, event.type.encode(), event.data)
