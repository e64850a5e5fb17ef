"""How a test waits for something: it looks again and again, and never sleeps for luck."""

from __future__ import annotations

import time
from collections.abc import Callable

SECONDS = 120.0
"""Far more than anything takes on a busy machine."""
PAUSES = 0.02, 0.25
"""Between two looks: the shortest, and the longest, after looks that take long themselves. Whoever is waited for needs
the processors more than who waits.
"""


def wait_until(condition: Callable[[], object], seconds: float = SECONDS) -> None:
    """Fails when the condition does not come true in time."""
    deadline = time.monotonic() + seconds
    while True:
        began = time.monotonic()
        if condition():
            return
        assert time.monotonic() < deadline, "the condition did not come true"
        shortest, longest = PAUSES
        time.sleep(min(max(shortest, 3 * (time.monotonic() - began)), longest))
