"""How long who failed waits before the next try."""

from __future__ import annotations

import random

FIRST_SECONDS, LAST_SECONDS = 0.1, 5.0


def pause(attempt: int) -> float:
    """Seconds. `attempt`: how many tries in a row have failed before; 0 for the first failure."""
    # Half of it by chance, so that many who fail together don't come back together.
    return min(LAST_SECONDS, FIRST_SECONDS * 2.0 ** min(attempt, 20)) * random.uniform(0.5, 1.0)  # noqa: S311
