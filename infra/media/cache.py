"""Prepared chunks and previews on disk, to be thrown away and made again at will."""

from __future__ import annotations

import errno
import os
import re
import secrets
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from domain.errors import Unavailable
from infra.media.chunks import file_checksum

KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,199}")
_FRESH = 10.0  # seconds: a path that was handed out must live until its reader has opened it
_TOUCH = 5.0  # seconds: how exactly the last use of an entry is known
_ABANDONED = 3600.0  # seconds after which an unfinished file belongs to a process that died
_MEASURING = 20  # times as long as it took until it is measured again
_STEPS = 16  # the folder is swept whenever this part of its size was added

Make = Callable[[BinaryIO], None]


class ChunkCache:
    """Files by key, in a folder that several processes may share, up to about `max_bytes` of them.

    An entry is the only file in the folder `xx/<key>/`; its name is `<length>-<checksum>` of its content, so
    that a file cut by a power failure (entries aren't synced) shows, and is made again. Keys must change when
    the content does: a task's chunk carries the fingerprint of its data. The least recently used entries go first.
    """

    def __init__(self, folder: Path, max_bytes: int, wait_seconds: float = 60) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._unfinished = folder / ".unfinished"
        self._step = max_bytes // _STEPS
        self._max_bytes = max_bytes
        self._wait_seconds = wait_seconds
        self._lock = threading.Lock()
        self._making: dict[str, Future[Path]] = {}
        self._sweeping = threading.Lock()
        self._added = max_bytes  # since the last sweep; unknown before the first
        self._measuring = threading.Lock()
        self._measure_again = 0.0
        self._bytes = 0

    def get(self, key: str) -> Path | None:
        """The file, if there is a whole one. It can be opened for at least ten seconds from now."""
        try:
            for path in self._entry(key).iterdir():
                if path.name == _name_for(path):
                    _touch(path)
                    return path
        except FileNotFoundError:
            pass
        return None

    def get_or_make(self, key: str, make: Make) -> Path:
        """The file, written by `make` if it isn't there; in this process by one caller while the others wait.

        Raises what `make` raises, to all who wait; Unavailable after `wait_seconds` or when the disk is full.
        """
        path = self.get(key)
        if path:
            return path
        with self._lock:
            future = self._making.get(key)
            leading = future is None
            if future is None:
                future = self._making[key] = Future()
        if leading:
            self._lead(key, make, future)
        try:
            return future.result(self._wait_seconds)
        except TimeoutError:
            raise Unavailable(f"{key} is still being prepared; try again") from None

    def _lead(self, key: str, make: Make, future: Future[Path]) -> None:
        try:
            future.set_result(self.get(key) or self._publish(key, make))  # made since we looked, perhaps
        except BaseException as error:
            future.set_exception(error)
        finally:
            with self._lock:
                del self._making[key]

    def _publish(self, key: str, make: Make) -> Path:
        self._unfinished.mkdir(exist_ok=True)
        unfinished = self._unfinished / secrets.token_hex(16)
        try:
            with unfinished.open("xb") as out:
                make(out)
            size = unfinished.stat().st_size
            path = _move(unfinished, self._entry(key))
        except OSError as error:
            if error.errno not in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG):
                raise
            raise Unavailable(f"There is no space left to prepare {key}") from error
        finally:
            unfinished.unlink(missing_ok=True)
        self._added += size
        if self._added >= self._step:
            self.sweep()
        return path

    def sweep(self) -> None:
        """Remove the least recently used entries until there is room for the next step, and what crashes left.

        What was asked for in the last ten seconds stays even if that is more than fits. Takes about 10 µs an entry.
        """
        if not self._sweeping.acquire(blocking=False):
            return
        try:
            self._added = 0
            now = time.time()
            _remove_older(self._unfinished, now - _ABANDONED)
            entries = sorted(_entries(self._folder))
            excess = sum(size for _, size, _ in entries) - (self._max_bytes - self._step)
            for used, size, path in entries:
                if excess <= 0 or used > now - _FRESH:
                    break
                _remove(path)
                excess -= size
        finally:
            self._sweeping.release()

    def total_bytes(self) -> int:
        """How large the entries are together. Looks at each of them, about 10 µs, but spends no more than a twentieth
        of its time at that: until then it says what it saw last.
        """
        with self._measuring:
            began = time.monotonic()
            if began >= self._measure_again:
                self._bytes = sum(size for _, size, _ in _entries(self._folder))
                took = time.monotonic() - began
                self._measure_again = began + _MEASURING * took
            return self._bytes

    def _entry(self, key: str) -> Path:
        if not KEY.fullmatch(key):
            raise ValueError(f"not a key: {key!r}")
        return self._folder / f"{zlib.crc32(key.encode()) & 0xFF:02x}" / key


def _name_for(path: Path) -> str:
    return f"{path.stat().st_size}-{file_checksum(path):08x}"


def _touch(path: Path) -> None:
    """Note the use; at most every few seconds, so that a warm read writes nothing."""
    if path.stat().st_mtime < time.time() - _TOUCH:
        os.utime(path)


def _move(unfinished: Path, entry: Path) -> Path:
    target = entry / _name_for(unfinished)
    for _ in range(10):
        with suppress(FileNotFoundError, FileExistsError):  # another process is sweeping the folder at this moment
            entry.mkdir(parents=True, exist_ok=True)
            os.replace(unfinished, target)
            return target
    raise Unavailable(f"{entry.name} can't be kept: its folder keeps being removed")


def _entries(folder: Path) -> Iterator[tuple[float, int, Path]]:
    """Last use, size and path of each entry's file."""
    for entry in folder.glob("[0-9a-f][0-9a-f]/*"):
        with suppress(FileNotFoundError):  # another process sweeps as well
            for path in list(entry.iterdir()):
                status = path.stat()
                yield status.st_mtime, status.st_size, path


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)
    with suppress(OSError):  # not empty, or already gone
        path.parent.rmdir()


def _remove_older(folder: Path, moment: float) -> None:
    with suppress(FileNotFoundError):
        for path in folder.iterdir():
            if path.stat().st_mtime < moment:
                path.unlink(missing_ok=True)
