"""The threads that decode and encode pictures (Pillow's codecs release the GIL), one set per process."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from infra import threads

Item = TypeVar("Item")
Result = TypeVar("Result")

THREADS = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
_threads = ThreadPoolExecutor(THREADS, thread_name_prefix="media")


def in_order(work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
    """`map` on the threads, two items per thread at a time; see `infra.threads.in_order`."""
    return threads.in_order(_threads, 2 * THREADS, work, items)
