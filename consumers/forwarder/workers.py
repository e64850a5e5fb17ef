"""Processes that make what ClickHouse takes of what the log holds: most of the work of catching up, for which one of
Python's processes would have one core.
"""

from __future__ import annotations

import multiprocessing
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool

import structlog

from consumers.forwarder.batch import Batch, Limits
from consumers.forwarder.rows import Shaper
from consumers.forwarder.worker import begin, work
from infra.eventlog.decoding import Stored

EVENTS, BYTES = 1_000, 1024 * 1024
"""The most of the log that is handed out at once: it is in memory three times over, there as objects."""

IDLE_SECONDS = 30.0
"""Then they end, and their memory is free."""

START_SECONDS = 10.0
"""Starting them should not take longer."""

MENDED_SECONDS = 30.0
"""So long nobody tries again after they failed."""

log = structlog.get_logger(__name__)


def portions(fetched: Sequence[Stored]) -> Iterator[Sequence[Stored]]:
    """Cuts what was fetched so that each part is good to hand out."""
    start = size = 0
    for number, stored in enumerate(fetched):
        if number > start and (number - start >= EVENTS or size + len(stored.state) > BYTES):
            yield fetched[start:number]
            start, size = number, 0
        size += len(stored.state)
    if fetched:
        yield fetched[start:]


class Workers:
    """Started when they are asked for first. Used by one thread."""

    def __init__(self, number: int, make_shaper: Callable[[], Shaper], limits: Limits) -> None:
        """`number`: 0 for none. `make_shaper` is pickled, and called in each of them."""
        self.number = number
        self._given = (make_shaper, limits)
        self._pool: ProcessPoolExecutor | None = None
        self._starts: list[Future[None]] = []
        self._used = self._failed = self._started = float("-inf")

    def ready(self) -> bool:
        """Whether something can be handed to them. Does not wait for them."""
        self._used = time.monotonic()
        if self._pool is None and self._used > self._failed + MENDED_SECONDS:
            self._start()
        if self._pool is None or not all(start.done() for start in self._starts):
            return False
        if error := next((error for start in self._starts if (error := start.exception())), None):
            self.give_up(error)
        return error is None

    def starting(self, seconds: float) -> bool:
        """Whether it is worth while to wait for them to be ready; waits for so long. What would be done in the second
        or so that this takes, would take memory for as long as the process lives.
        """
        if self._pool is None or time.monotonic() > self._started + START_SECONDS:
            return False
        wait(self._starts, seconds)
        return True

    def shape(self, stored: Sequence[Stored]) -> Future[list[Batch]]:
        """The rows of these events, encoded. Only while they are `ready`. What goes wrong is in the future."""
        assert self._pool is not None
        try:
            return self._pool.submit(work, list(map(tuple, stored)))  # named ones take twice as long to pickle
        except BrokenProcessPool as error:
            broken: Future[list[Batch]] = Future()
            broken.set_exception(error)
            return broken

    def give_up(self, error: BaseException) -> None:
        """For a while: one of them was killed, say, or hangs. Nothing that they were doing will be done."""
        if self._pool is None:
            return
        log.warning("workers failed: going on without", error=f"{type(error).__name__}: {error}")
        self._failed = time.monotonic()
        processes = list(self._pool._processes.values())  # kill_workers() from Python 3.14 on
        self.close()
        for process in processes:
            process.kill()

    def rest(self) -> None:
        """Ends them when they were not needed for a while."""
        if self._pool is not None and time.monotonic() > self._used + IDLE_SECONDS:
            self.close()

    def close(self) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=False, cancel_futures=True)
            self._pool, self._starts = None, []

    def _start(self) -> None:
        self._started = time.monotonic()
        try:
            # Not forked: this process has threads.
            self._pool = ProcessPoolExecutor(self.number, multiprocessing.get_context("spawn"), begin, self._given)
            self._starts = [self._pool.submit(time.sleep, 0.01) for _ in range(self.number)]
        except OSError as error:  # no room for processes, or for what they share
            self._failed = self._started
            log.warning("workers can't be started: going on without", error=str(error))
            self.close()
