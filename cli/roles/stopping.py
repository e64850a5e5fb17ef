"""Stopping a process that works in a loop."""

from __future__ import annotations

import signal
import threading


def stop_event() -> threading.Event:
    """Set by the first SIGTERM or SIGINT."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
