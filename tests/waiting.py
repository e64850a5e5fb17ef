"""How a test waits for something: it looks again and again, and never sleeps for luck."""

from __future__ import annotations

import time
from collections.abc import Callable

SECONDS = 60.0
"""Far more than anything takes on a busy machine."""


def wait_until(condition: Callable[[], object], seconds: float = SECONDS) -> None:
    """Fails when the condition does not come true in time."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the condition did not come true"
        time.sleep(0.02)
