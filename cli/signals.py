"""Obeying signals outside of their handlers."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterable


def on_signals(numbers: Iterable[signal.Signals], act: Callable[[], object]) -> None:
    """`act` is called, in a thread of its own, for each of these signals. To be called once, in the main thread.

    A handler interrupts the main thread anywhere, also where that holds the lock of the very Event that the handler
    would set: both would wait for ever.
    """
    told, tell = os.pipe()
    os.set_blocking(tell, False)
    signal.set_wakeup_fd(tell, warn_on_full_buffer=False)
    wanted = frozenset(numbers)
    for number in wanted:
        signal.signal(number, _nothing)
    threading.Thread(target=_obey, args=(told, wanted, act), name="signals", daemon=True).start()


def _nothing(*_: object) -> None:
    """That there is a handler makes Python tell the number."""


def _obey(told: int, wanted: frozenset[signal.Signals], act: Callable[[], object]) -> None:
    while arrived := os.read(told, 1):
        if arrived[0] in wanted:
            act()
