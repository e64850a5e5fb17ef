"""The threads that decode and encode pictures (Pillow's codecs release the GIL), one set per process."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")

THREADS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="media")


def in_order(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """`map` on the threads, with results in the order of the items; the first error ends it.

    Only two items per thread are under way at a time: memory is bounded, and one caller's long list
    doesn't keep another's short one waiting until all of it is done. `work` must not call this again.
    """
    waiting = iter(items)
    running: deque[Future[Result]] = deque(_threads.submit(work, item) for item in islice(waiting, 2 * THREADS))
    try:
        while running:
            result = running.popleft().result()
            running.extend(_threads.submit(work, item) for item in islice(waiting, 1))
            yield result
    finally:
        for future in running:
            future.cancel()
