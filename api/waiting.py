"""Requests that are held open until the log moves."""

from __future__ import annotations

import asyncio


class Waiters:
    """Wakes coroutines of one event loop from the thread that listens to the log."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._moved: asyncio.Event | None = None

    def bind(self, loop: asyncio.AbstractEventLoop) -> None:
        """To be called in the loop, once, before anything waits."""
        self._loop, self._moved = loop, asyncio.Event()

    def wake(self) -> None:
        """From any thread."""
        if self._loop is not None and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(self._wake)

    def _wake(self) -> None:
        assert self._moved is not None
        self._moved.set()
        self._moved = asyncio.Event()

    def ticket(self) -> asyncio.Event:
        """Set at the next wake. Take it before looking, so that nothing is missed in between."""
        assert self._moved is not None
        return self._moved
