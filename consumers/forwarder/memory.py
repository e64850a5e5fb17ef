"""Memory of a process that has much in hand for a moment, again and again."""

from __future__ import annotations

import ctypes

M_MMAP_THRESHOLD = -3
LARGE = 1024 * 1024


def give_back() -> None:
    """From now on, what is large goes back to the system as soon as it is free. The C library begins with that, but
    after the first large block that was freed it keeps them, for each thread: half of what the forwarder had was empty.
    Does nothing for a C library that is not GNU's.
    """
    if mallopt := getattr(ctypes.CDLL(None), "mallopt", None):
        mallopt(M_MMAP_THRESHOLD, LARGE)
