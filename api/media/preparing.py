"""What takes a while to make, made once for all who wait for it, without a thread for each of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from anyio import CapacityLimiter
from anyio.to_thread import run_sync

from infra.media.pool import THREADS

WAIT_SECONDS = 50.0
"""How long a client waits before it is asked to come again; CVAT's figure."""


class StillPreparing(Exception):
    """It isn't ready yet; it goes on being made."""

    def __init__(self, under_way: int) -> None:
        """`under_way`: how many things are being made at the moment, this one included."""
        self.under_way = under_way
        super().__init__(f"It is still being prepared, among {under_way} in all")


class Preparing:
    """For use in one event loop. At most `at_once` are made at a time, in threads of their own: those that answer
    requests stay free.
    """

    def __init__(self, wait_seconds: float = WAIT_SECONDS, at_once: int = 2 * THREADS) -> None:
        self._wait_seconds = wait_seconds
        self._at_once = at_once
        self._limiter: CapacityLimiter | None = None
        self._under_way: dict[str, asyncio.Task[Path]] = {}

    async def get(self, key: str, make: Callable[[], Path]) -> Path:
        """What `make` returns, called once however many ask for the key meanwhile. Raises what it raises, to all;
        StillPreparing.
        """
        task = self._under_way.get(key) or self._start(key, make)
        # Not `wait_for`: a client that gives up or goes away must not cancel what others wait for.
        done, _ = await asyncio.wait({task}, timeout=self._wait_seconds)
        if not done:
            raise StillPreparing(len(self._under_way))
        return task.result()

    def _start(self, key: str, make: Callable[[], Path]) -> asyncio.Task[Path]:
        if self._limiter is None:
            self._limiter = CapacityLimiter(self._at_once)
        task = asyncio.ensure_future(run_sync(make, limiter=self._limiter))
        self._under_way[key] = task
        task.add_done_callback(lambda done: self._ended(key, done))
        return task

    def _ended(self, key: str, task: asyncio.Task[Path]) -> None:
        del self._under_way[key]
        if not task.cancelled():
            task.exception()  # looked at, so that asyncio doesn't complain when nobody waits any more
