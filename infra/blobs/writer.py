"""Bytes on their way into a store."""

from __future__ import annotations

import hashlib
import io
import os
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError, Executor, Future, wait
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, BinaryIO, Self

from domain.errors import Unavailable
from infra.blobs.disk import disk_errors

SMALL = 1024 * 1024
"""Bytes up to which a blob is kept in memory until its last byte has come."""


@dataclass(frozen=True, slots=True)
class Blob:
    """Stored bytes: lower-case hexadecimal SHA-256 of the content, and its length in bytes."""

    sha256: str
    size: int


class Memory:
    """Bytes that all writers of a store may keep in memory together."""

    def __init__(self, limit: int) -> None:
        self._free = limit
        self._lock = threading.Lock()

    def take(self, size: int) -> bool:
        with self._lock:
            if size > self._free:
                return False
            self._free -= size
            return True

    def give_back(self, size: int) -> None:
        with self._lock:
            self._free += size


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a store's writers share: memory, threads that write small blobs, and what the store holds already."""

    memory: Memory
    threads: Executor
    holds: Callable[[Blob], bool]


class AtOnce(Executor):
    """In place of threads, for one who has nothing else to do: does what is submitted before it returns."""

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        done: Future[Any] = Future()
        try:
            done.set_result(fn(*args, **kwargs))
        except Exception as error:
            done.set_exception(error)
        return done


class BlobWriter:
    """Bytes on their way into a store; memory use is bounded, for one blob and for all of a store together.

    A large blob is hashed and written to a staged file as it comes. A small one stays in memory to its end; then a
    thread hashes it and writes its file while the next ones come in, unless the store holds the content already.
    As a context manager it aborts at the end, which does nothing once the bytes are committed.
    """

    def __init__(self, staged: str, owner: object, around: Surroundings) -> None:
        """`owner` is kept alive: it holds the lock that protects the staged file from being cleaned away."""
        self.staged = staged
        self._owner = owner
        self._around = around
        self._memory = bytearray()
        self._taken = 0
        self._hash = hashlib.sha256()
        self._size = 0
        self._file: BinaryIO | None = None
        self._has_file = False
        self._ended: Future[Blob] | None = None

    def write(self, data: bytes) -> None:
        if self._ended is not None:
            raise ValueError("Nothing can be written to a blob that is closed")
        self._size += len(data)
        if self._file is None and self._size <= SMALL and self._around.memory.take(len(data)):
            self._taken += len(data)
            self._memory += data
            return
        if self._file is None:
            self._spill()
        self._append(data)

    def end(self) -> None:
        """No more bytes will come. Returns at once: what is left to do for a small blob is done in a thread."""
        if self._ended is not None:
            return
        if self._file is None:
            self._ended = self._around.threads.submit(self._stage)
            return
        with disk_errors():
            self._file.close()
        self._ended = Future()
        self._ended.set_result(Blob(self._hash.hexdigest(), self._size))

    def close(self) -> Blob:
        """No more bytes will come. May be called again; what it says is not durable before `commit`.

        Raises Unavailable when the bytes can't be written, or are aborted.
        """
        self.end()
        assert self._ended is not None
        try:
            return self._ended.result()
        except CancelledError:
            raise Unavailable("The blob was aborted") from None

    def abort(self) -> None:
        """Forget the bytes, if they aren't committed. May be called at any time and again."""
        if self._ended is None:
            self._ended = Future()
        if not self._ended.cancel():
            wait([self._ended])
        if self._file is not None:
            with suppress(OSError):  # the rest of a buffer that the disk doesn't take, of a file that goes away
                self._file.close()
        self._forget()
        if self._has_file:
            with suppress(FileNotFoundError):
                os.unlink(self.staged)
            self._has_file = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.abort()

    def _stage(self) -> Blob:
        """The end of a small blob, in a thread. A content that the store holds needs no file."""
        try:
            blob = Blob(hashlib.sha256(self._memory).hexdigest(), self._size)
            if not self._around.holds(blob):
                with disk_errors(), self._create() as file:
                    file.write(self._memory)
            return blob
        finally:
            self._forget()

    def _spill(self) -> None:
        with disk_errors():
            self._file = self._create()
        self._append(self._memory)
        self._forget()

    def _append(self, data: bytes | bytearray) -> None:
        assert self._file is not None
        with disk_errors():
            self._file.write(data)
        self._hash.update(data)

    def _create(self) -> BinaryIO:
        file = io.BufferedWriter(io.FileIO(self.staged, "xb", opener=_create_read_only))
        self._has_file = True
        return file

    def _forget(self) -> None:
        self._memory = bytearray()
        taken, self._taken = self._taken, 0
        self._around.memory.give_back(taken)


def _create_read_only(path: str, flags: int) -> int:
    return os.open(path, flags, 0o440)
