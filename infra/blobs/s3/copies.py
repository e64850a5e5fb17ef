"""Copies of blobs on this machine's disk, for whatever needs a file. To be thrown away at will."""

from __future__ import annotations

import fcntl
import os
import shutil
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import BinaryIO

import psutil  # type: ignore[import-untyped]

from infra.blobs.disk import disk_errors
from infra.blobs.staging import Staging

FRESH = 660.0
"""Seconds for which a file stays after its path was handed out (ten minutes), and as exactly as uses are noted."""

NOTED = 60.0
"""Seconds between two notes of a use, so that a warm read writes nothing."""

STEPS = 16
"""The folder is swept whenever this part of its size was added."""

IN_USE = ".in-use"
"""The file in a folder that all processes hold a lock on that work with it."""

BOOT_ID = Path("/proc/sys/kernel/random/boot_id")

Download = Callable[[BinaryIO], object]


class LocalCopies:
    """Files by hash, in a folder that several processes may share; about `max_bytes` of them, and besides what was
    asked for in the last ten minutes. The least recently used go first.

    Copies aren't synced: after a start of the machine some may be cut. So each start begins with a folder of its own.
    """

    def __init__(self, folder: Path, max_bytes: int) -> None:
        self._root = folder / _boot()
        self._locks = self._root / ".locks"
        with disk_errors(), _alone(folder):
            self._locks.mkdir(parents=True, exist_ok=True)
            self._in_use = (self._root / IN_USE).open("a+b")
            fcntl.flock(self._in_use, fcntl.LOCK_SH)
            for path in folder.glob(f"*/{IN_USE}"):
                _remove_if_abandoned(path)
        self.staging = Staging(self._root / ".incoming")
        self._max_bytes = max_bytes
        self._added = max_bytes  # since the last sweep; unknown before the first
        self._sweeping = threading.Lock()

    def get(self, sha256: str, download: Download) -> Path:
        """The file, written by `download` if it isn't there: by one caller of all processes, while the others wait.

        Raises what `download` raises; StorageFull, Unavailable when the disk does not take it.
        """
        path = self._place(sha256)
        if _is_fresh(path):
            return path
        with self._locked(sha256):
            if not _renew(path):
                self._make(path, download)
        self._sweep_if_due()
        return path

    def keep(self, staged: str, sha256: str) -> None:
        """A file of `staging` that is not needed any more becomes a copy, the first that would go."""
        with suppress(OSError):  # it is only a copy
            size, then = os.stat(staged).st_size, time.time() - FRESH
            os.utime(staged, (then, then))
            self._move(staged, self._place(sha256))
            self._added += size
        self._sweep_if_due()

    def sweep(self) -> None:
        """Removes the least recently used copies until there is room for the next step."""
        if not self._sweeping.acquire(blocking=False):
            return
        try:
            self._added = 0
            files = sorted(_files(self._root))
            excess = sum(size for _, size, _ in files) - (self._max_bytes - self._max_bytes // STEPS)
            for _, size, path in files:
                if excess <= 0 or not self._remove(path):
                    break
                excess -= size
        finally:
            self._sweeping.release()

    def _make(self, path: Path, download: Download) -> None:
        staged = self.staging.new_path()
        with disk_errors():
            try:
                with open(staged, "xb") as out:
                    download(out)
                    self._added += out.tell()
                self._move(staged, path)
            finally:
                with suppress(FileNotFoundError):
                    os.unlink(staged)

    def _move(self, staged: str, path: Path) -> None:
        path.parent.mkdir(exist_ok=True)
        os.replace(staged, path)

    def _remove(self, path: Path) -> bool:
        """False when it is in use. Under the lock: nobody can come to use it between the look and the removal."""
        with self._locked(path.name):
            if _is_fresh(path, FRESH):
                return False
            path.unlink(missing_ok=True)
        return True

    def _place(self, sha256: str) -> Path:
        return self._root / sha256[:2] / sha256

    @contextmanager
    def _locked(self, sha256: str) -> Iterator[None]:
        """Alone among all threads and processes. The kernel gives a lock back that somebody dies with."""
        with disk_errors():
            lock = (self._locks / sha256[:3]).open("ab")
        with lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def _sweep_if_due(self) -> None:
        if self._added >= self._max_bytes // STEPS:
            self.sweep()


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Without this lock another machine's process could meet a folder between its creation and its owner's lock."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("ab") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _remove_if_abandoned(in_use: Path) -> None:
    """Of a machine's earlier start. Machines may share the folder, if they share their data."""
    with in_use.open("a+b") as lock, suppress(BlockingIOError):
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(in_use.parent, ignore_errors=True)


def _boot() -> str:
    """What is another after each start of the machine."""
    try:
        return BOOT_ID.read_text().strip()
    except OSError:
        return f"{psutil.boot_time():.0f}"


def _is_fresh(path: Path, seconds: float = NOTED) -> bool:
    """Whether it was used so lately."""
    try:
        return os.stat(path).st_mtime > time.time() - seconds
    except FileNotFoundError:
        return False


def _renew(path: Path) -> bool:
    """False when it isn't there."""
    try:
        os.utime(path)
    except FileNotFoundError:
        return False
    return True


def _files(root: Path) -> Iterator[tuple[float, int, Path]]:
    """Last use, size and path of each copy."""
    for path in root.glob("[0-9a-f][0-9a-f]/*"):
        with suppress(FileNotFoundError):  # another process sweeps as well
            status = path.stat()
            yield status.st_mtime, status.st_size, path
