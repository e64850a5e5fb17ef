"""Work on many threads with bounded memory."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Executor, Future
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")


def in_order(threads: Executor, ahead: int, work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """`map` on the threads, with results in the order of the items; the first error ends it.

    Only `ahead` items are under way at a time: memory is bounded, and one caller's long list doesn't keep another's
    short one waiting until all of it is done. `work` must not call this again with the same threads.
    """
    waiting = iter(items)
    running: deque[Future[Result]] = deque(threads.submit(work, item) for item in islice(waiting, ahead))
    try:
        while running:
            result = running.popleft().result()
            running.extend(threads.submit(work, item) for item in islice(waiting, 1))
            yield result
    finally:
        for future in running:
            future.cancel()
