"""The tie between the supervisor and its children: a pipe, and the kernel's parent-death signal.

Through the pipe the supervisor says where the database is, once that is ready; children are started before and import
their libraries meanwhile. The pipe's end means that the supervisor is gone, however it went. Linux's signal says so at
once, and also to a process that is busy inside a C library; the pipe says it everywhere, and to a child that was born
too late for the signal.
"""

from __future__ import annotations

import ctypes
import os
import signal
import sys
import threading

PR_SET_PDEATHSIG = 1


class Lifeline:
    """The supervisor's end. Whoever holds `child_end` lives no longer than this process."""

    def __init__(self) -> None:
        self.child_end, self._end = os.pipe()

    def tell(self, database_url: str) -> None:
        """To be called once. A child that has died meanwhile is no error."""
        try:
            os.write(self._end, f"{database_url}\n".encode())
        except BrokenPipeError:
            return

    def close_child_end(self) -> None:
        os.close(self.child_end)

    def close(self) -> None:
        os.close(self._end)


def die_with_supervisor(descriptor: int) -> LifelineReader:
    """To be called first thing in a child."""
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    return LifelineReader(descriptor)


class LifelineReader:
    """The child's end."""

    def __init__(self, descriptor: int) -> None:
        self._lines = os.fdopen(descriptor, "rb", buffering=0)
        self._told = threading.Event()
        self._database_url = ""
        threading.Thread(target=self._listen, name="lifeline", daemon=True).start()

    def database_url(self) -> str:
        """Waits until the supervisor has made the database ready."""
        self._told.wait()
        return self._database_url

    def _listen(self) -> None:
        line = b""
        # A signal instead of an exit: nothing that this process still has to say may delay its end. Nobody would stop
        # it, and the next server needs its ports and its files.
        while piece := self._lines.read(4096):
            line += piece
            if line.endswith(b"\n"):
                self._database_url = line.decode().strip()
                self._told.set()
        os.kill(os.getpid(), signal.SIGKILL)
