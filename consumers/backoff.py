"""Going on through every failure, and how long who failed waits before the next try."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable

FIRST_SECONDS, LAST_SECONDS = 0.1, 5.0


def pause(attempt: int) -> float:
    """Seconds. `attempt`: how many tries in a row have failed before; 0 for the first failure."""
    # Half of it by chance, so that many who fail together don't come back together.
    return min(LAST_SECONDS, FIRST_SECONDS * 2.0 ** min(attempt, 20)) * random.uniform(0.5, 1.0)  # noqa: S311


def through_failures(
    attend: Callable[[], object],
    stop: threading.Event,
    position: Callable[[], int],
    failed: Callable[[Exception, float], object],
) -> None:
    """Calls `attend` again and again until `stop`. `failed` is told what ended it, and in how many seconds it is tried
    again: the longer, the more often it has failed without `position` moving.
    """
    attempt, reached = 0, -1
    while not stop.is_set():
        try:
            attend()
        # Whatever it is: a follower that gave up would lose nothing, but nobody would get anything any more.
        except Exception as error:
            attempt = attempt + 1 if position() == reached else 0
            reached = position()
            seconds = pause(attempt)
            failed(error, seconds)
            stop.wait(seconds)
