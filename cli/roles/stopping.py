"""Stopping a process that works in a loop."""

from __future__ import annotations

import signal
import threading

from cli.signals import on_signals


def stop_event() -> threading.Event:
    """Set by the first SIGTERM or SIGINT."""
    stop = threading.Event()
    on_signals((signal.SIGTERM, signal.SIGINT), stop.set)
    return stop
