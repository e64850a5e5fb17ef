"""Files that come in over several requests (the tus protocol, in CVAT's dialect). They survive a restart.

Each upload is a folder: what the client announced (`info.json`), the bytes so far (`bytes`), and how many of them were
acknowledged (`offset`). Its requests may reach different processes; the one that writes holds the lock on `info.json`.
"""

from __future__ import annotations

import fcntl
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO
from uuid import uuid4

import orjson

from domain.errors import Conflict, Forbidden, NotFound
from infra.blobs.disk import disk_errors

ID = re.compile(r"(\d{1,18})_[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\Z")
KEPT_SECONDS = 24 * 3600.0
"""An upload that got no byte for this long is thrown away."""

MOST_OPEN = 1_000
"""Unfinished uploads of one user."""

READ_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True)
class Info:
    """What the client announced. `target`: where the file goes, as a path (`tasks/17/data`). `length` in bytes."""

    user_id: int
    target: str
    name: str
    length: int


class Uploads:
    """The unfinished uploads in a folder that several processes may share."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def create(self, info: Info) -> str:
        """Returns the upload's id. Raises Conflict when the user has too many, Unavailable, StorageFull."""
        self.clean()
        if sum(1 for _ in self._folder.glob(f"{info.user_id}_*")) >= MOST_OPEN:
            raise Conflict(f"You have {MOST_OPEN} unfinished uploads; finish one, or wait a day")
        upload_id = f"{info.user_id}_{uuid4()}"
        new = self._folder / f".{upload_id}"
        with disk_errors():
            new.mkdir(mode=0o700)
            for name, content in (("bytes", b""), ("offset", _number(0)), ("info.json", orjson.dumps(asdict(info)))):
                _write_synced(new / name, content)
            _sync_folder(new)
            new.rename(self._folder / upload_id)
            _sync_folder(self._folder)
        return upload_id

    def find(self, upload_id: str, user_id: int | None, target: str) -> Upload:
        """Raises NotFound, Forbidden for another user's upload."""
        owner = ID.match(upload_id)
        if owner is None:
            raise NotFound
        try:
            info = Info(**orjson.loads((self._folder / upload_id / "info.json").read_bytes()))
        except FileNotFoundError:
            raise NotFound from None
        if info.user_id != user_id:
            raise Forbidden
        if info.target != target:
            raise NotFound
        return Upload(upload_id, self._folder / upload_id, info)

    def clean(self) -> int:
        """Throws away uploads that were abandoned; returns how many."""
        with disk_errors():
            self._folder.mkdir(parents=True, exist_ok=True)
            old = [path for path in self._folder.iterdir() if _idle_seconds(path) > KEPT_SECONDS]
            for path in old:
                shutil.rmtree(path, ignore_errors=True)
        return len(old)


@dataclass(frozen=True, slots=True)
class Upload:
    """One unfinished upload."""

    id: str
    folder: Path
    info: Info

    @property
    def offset(self) -> int:
        """Bytes that were acknowledged, and so survive a power cut. Raises NotFound when the upload is over."""
        try:
            return int((self.folder / "offset").read_bytes())
        except FileNotFoundError:
            raise NotFound from None

    def try_lock(self) -> BinaryIO | None:
        """What keeps other requests from writing until it is closed; None while another has it. Raises NotFound."""
        try:
            lock = (self.folder / "info.json").open("r+b")  # NFS locks only what is open for writing
        except FileNotFoundError:
            raise NotFound from None
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            return None
        return lock

    def writer(self, offset: int) -> Writer:
        return Writer(self, offset)

    def read(self) -> Iterator[bytes]:
        """All of it, piece by piece."""
        with (self.folder / "bytes").open("rb") as file:
            while piece := file.read(READ_BYTES):
                yield piece

    def acknowledge(self, offset: int) -> None:
        """From now on a client is told that so many bytes are safe; they must be on disk already."""
        with disk_errors(), (self.folder / "offset").open("r+b") as file:
            file.write(_number(offset))
            file.flush()
            os.fsync(file.fileno())

    def forget(self) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


class Writer:
    """Bytes on their way into an upload, from an offset on; what an earlier request left unacknowledged goes."""

    def __init__(self, upload: Upload, offset: int) -> None:
        with disk_errors():
            self._file = (upload.folder / "bytes").open("r+b", buffering=0)
            self._file.truncate(offset)
            self._file.seek(offset)
        self.offset = offset

    def write(self, data: bytes) -> None:
        with disk_errors():
            view = memoryview(data)
            while view:
                view = view[self._file.write(view) :]
        self.offset += len(data)

    def close(self) -> None:
        """Returns when what was written is on disk."""
        with disk_errors():
            try:
                os.fsync(self._file.fileno())
            finally:
                self._file.close()


def _number(value: int) -> bytes:
    # Of fixed width: it is overwritten in place, within one sector of the disk.
    return b"%020d" % value


def _write_synced(path: Path, content: bytes) -> None:
    with path.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _idle_seconds(folder: Path) -> float:
    with suppress(FileNotFoundError):
        return time.time() - (folder / "offset").stat().st_mtime
    with suppress(FileNotFoundError):
        return time.time() - folder.stat().st_mtime
    return 0.0
