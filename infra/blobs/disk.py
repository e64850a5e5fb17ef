"""Getting files to the disk, and what is said when it does not take them."""

from __future__ import annotations

import ctypes
import errno
import os
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from domain.errors import StorageFull, Unavailable

FULL = (errno.ENOSPC, errno.EDQUOT)


class FileSystem:
    """The file system that a folder is on, and its `syncfs`, for as long as that can be trusted."""

    def __init__(self, folder: Path) -> None:
        # A failed write-back is reported once to each descriptor that was open before: hence this one, kept open.
        self._handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        self._syncfs = _load_syncfs()
        self._one_at_a_time = threading.Lock()

    def sync(self) -> bool:
        """True when everything written before the call is on disk; False: don't know, sync file by file.

        A failure is reported to one caller only, but it may have hit the files of another, or of none of
        ours: after it every caller, for good, asks file by file, which names the file that failed.
        """
        with self._one_at_a_time:
            if self._syncfs and self._syncfs(self._handle) != 0:
                self._syncfs = None
            return self._syncfs is not None

    def __del__(self) -> None:
        with suppress(AttributeError, OSError):
            os.close(self._handle)


def _load_syncfs() -> Callable[[int], int] | None:
    """Linux's syncfs, from 5.8 on: before, it told nobody about failed writes."""
    release = re.match(r"(\d+)\.(\d+)", os.uname().release)
    if os.uname().sysname != "Linux" or not release or tuple(map(int, release.groups())) < (5, 8):
        return None
    return getattr(ctypes.CDLL(None), "syncfs", None)


def fsync(path: str | Path) -> None:
    """Return when this file or folder is on disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def disk_errors() -> Iterator[None]:
    """A full disk as StorageFull, a failing one as Unavailable, in words that don't name our folders."""
    try:
        yield
    except OSError as error:
        if error.errno in FULL:
            raise StorageFull(f"The disk is full: {error.strerror}") from error
        raise Unavailable(f"The disk can't be written to: {error.strerror or error}") from error
