"""Locks on files that die with their process."""

from __future__ import annotations

import fcntl
import os
import time
import weakref
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from domain.errors import Unavailable

POLL_SECONDS = 0.01


class FolderLock:
    """An advisory lock (`flock`) on a file, exclusive or shared.

    The kernel frees it when the process ends, however it ends; nothing stays behind to be cleaned up. A forked child
    does not share it: otherwise an orphaned API process would go on holding the lock of its killed supervisor.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor: int | None = None
        _every_lock.add(self)

    @property
    def held(self) -> bool:
        return self._descriptor is not None

    def try_acquire(self, *, shared: bool = False) -> bool:
        """Take the lock now, or answer False because another process has it."""
        descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(descriptor)
            return False
        self.release()
        self._descriptor = descriptor
        return True

    def acquire(self, timeout: float, *, shared: bool = False) -> None:
        """Wait for the lock, at most `timeout` seconds; then Unavailable."""
        deadline = time.monotonic() + timeout
        while not self.try_acquire(shared=shared):
            if time.monotonic() > deadline:
                raise Unavailable(f"Another process has kept {self.path} locked for {timeout:.0f} s")
            time.sleep(POLL_SECONDS)

    def is_taken(self) -> bool:
        """Whether anybody, this object included, holds the lock now."""
        probe = FolderLock(self.path)
        if not probe.try_acquire():
            return True
        probe.release()
        return False

    @contextmanager
    def hold(self, timeout: float) -> Iterator[None]:
        """Hold the lock exclusively for a `with` block."""
        self.acquire(timeout)
        try:
            yield
        finally:
            self.release()

    def release(self) -> None:
        if self._descriptor is not None:
            os.close(self._descriptor)
            self._descriptor = None

    def note(self, text: str) -> None:
        """Write a text for people who find the lock taken (see `read_note`)."""
        if self._descriptor is not None:
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, text.encode(), 0)

    def read_note(self) -> str:
        """What the present holder wrote with `note`; empty when there is none."""
        return self.path.read_text().strip() if self.path.exists() else ""


_every_lock: weakref.WeakSet[FolderLock] = weakref.WeakSet()


def _forget_in_child() -> None:
    # Closing the child's copy of the descriptor leaves the parent's lock alone: a flock ends with its last descriptor.
    for lock in list(_every_lock):
        lock.release()


os.register_at_fork(after_in_child=_forget_in_child)
