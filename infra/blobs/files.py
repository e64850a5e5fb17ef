"""Blobs as files."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
from collections.abc import Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from domain.errors import NotFound
from infra.blobs.disk import FileSystem, disk_errors, fsync
from infra.blobs.staging import Staging
from infra.blobs.store import SHA256, Unused, Usage, Used, checked
from infra.blobs.sweep import put_back, remove, unused_blobs
from infra.blobs.writer import AtOnce, Blob, BlobWriter, Memory, Surroundings

MANY_FILES = 64  # from here on one sync of the file system beats one per file; see FileBlobs._sync
IN_MEMORY = 64 * 1024 * 1024
"""Bytes of all small blobs together that wait for their file."""

WRITING_THREADS = 4
"""Creating files in one folder takes turns: with 8 threads the same photos took longer."""


class FileBlobs:
    """Blobs as files `ab/abcd…` under a root folder that several processes may share."""

    def __init__(self, root: Path, writing_threads: int = WRITING_THREADS) -> None:
        """`writing_threads`: 0 for one who reads files rather than waits for them to come in; handing each small one to
        a thread would take longer than writing it.
        """
        if not root.is_dir():
            root.mkdir(parents=True, exist_ok=True)
            fsync(root.parent)
        self._root = root
        self._staging = Staging(root / ".incoming")
        self._filesystem = FileSystem(root)
        self._syncers = ThreadPoolExecutor(16, thread_name_prefix="blob-sync")
        writers = ThreadPoolExecutor(writing_threads, thread_name_prefix="blob-write") if writing_threads else AtOnce()
        self._around = Surroundings(Memory(IN_MEMORY), writers, self._holds)

    def writer(self) -> BlobWriter:
        return BlobWriter(self._staging.new_path(), self._staging, self._around)

    def put(self, chunks: Iterable[bytes]) -> Blob:
        with self.writer() as writer:
            for chunk in chunks:
                writer.write(chunk)
            return self.commit([writer])[0]

    def commit(self, writers: Sequence[BlobWriter]) -> list[Blob]:
        try:
            with disk_errors():
                return self._commit(writers)
        finally:
            # Duplicates go away; and after a failed fsync the kernel may call lost pages clean, so
            # that a second try would succeed without the data: nothing is left to try again with.
            for writer in writers:
                writer.abort()

    def _commit(self, writers: Sequence[BlobWriter]) -> list[Blob]:
        blobs = [writer.close() for writer in writers]
        fresh = {
            blob.sha256: writer.staged for blob, writer in zip(blobs, writers, strict=True) if not self._holds(blob)
        }
        # Content before name: a name whose content is lost in a power cut would look like a
        # stored duplicate for ever. Then the folders, also those of duplicates: another process
        # may have put them there a moment ago and not yet have synced the name.
        self._sync(list(fresh.values()))
        for sha256, staged in fresh.items():
            self._place(staged, sha256)
        leaves = {blob.sha256[:2] for blob in blobs}
        self._sync([*(self._root / leaf for leaf in leaves), self._root])
        return blobs

    def adopt(self, files: Sequence[tuple[str, Path]]) -> None:
        with disk_errors():
            folders = {self._adopt(self._locate(sha256), file) for sha256, file in files}
            self._sync([*folders, self._root])

    def _adopt(self, target: Path, file: Path) -> Path:
        """Returns the folder that must be synced for the name to last."""
        target.parent.mkdir(exist_ok=True)
        unfinished = target.with_suffix(f".{secrets.token_hex(4)}.unfinished")
        try:
            os.link(file, unfinished)
        except OSError:  # another file system, or one without links
            shutil.copyfile(file, unfinished)
            fsync(unfinished)
        unfinished.rename(target)
        return target.parent

    def _holds(self, blob: Blob) -> bool:
        """Whether the blob is stored; one of another length was damaged and is to be replaced. The date of one that is
        stored is renewed, so that a sweep knows that it has become wanted again.
        """
        path = self._place_of(blob.sha256)
        try:
            if os.stat(path).st_size != blob.size:
                return False
            os.utime(path)
        except FileNotFoundError:
            return False
        return True

    def _sync(self, paths: Sequence[str | Path]) -> None:
        """Return when these files or folders are on disk.

        Measured with 1,000 photos of 100 kB on ext4, content and names: fsync one after the other 530 ms,
        in 16 threads 260 ms, syncfs 100 ms. But syncfs also waits for whatever else is being written to
        the same file system (100 ms and more beside a busy writer), so a few files are asked for by name.
        """
        if len(paths) >= MANY_FILES and self._filesystem.sync():
            return
        list(self._syncers.map(fsync, paths))

    def _place(self, staged: str, sha256: str) -> None:
        target = self._place_of(sha256)
        try:
            os.replace(staged, target)
        except FileNotFoundError:
            os.makedirs(os.path.dirname(target), exist_ok=True)
            os.replace(staged, target)

    def _locate(self, sha256: str) -> Path:
        return Path(self._place_of(sha256))

    def _place_of(self, sha256: str) -> str:
        """The path as a text: there may be 100,000 blobs to store."""
        return f"{self._root}/{checked(sha256)[:2]}/{sha256}"

    def path(self, sha256: str) -> Path:
        path = self._locate(sha256)
        if not path.is_file():
            raise NotFound(f"Blob {sha256} is not stored here")
        return path

    def open(self, sha256: str) -> BinaryIO:
        return self.path(sha256).open("rb")

    def paths(self, names: Sequence[str]) -> list[Path]:
        return [self.path(sha256) for sha256 in names]

    def size(self, sha256: str) -> int:
        return self.path(sha256).stat().st_size

    def sizes(self, names: Collection[str]) -> dict[str, int]:
        found = {}
        for sha256 in names:
            with suppress(FileNotFoundError):
                found[sha256] = os.stat(self._place_of(sha256)).st_size
        return found

    def exists(self, sha256: str) -> bool:
        return self._locate(sha256).is_file()

    def verify(self, sha256: str) -> bool:
        try:
            with self._locate(sha256).open("rb") as file:
                return hashlib.file_digest(file, "sha256").hexdigest() == sha256
        except FileNotFoundError:
            return False

    def sweep(self, used: Used, before: float, *, dry_run: bool = False) -> Iterator[Unused]:
        for blob in unused_blobs(self._root, used, before):
            if dry_run or remove(self._locate(blob.sha256), before):
                yield blob

    def usage(self) -> Usage:
        count = size = 0
        with disk_errors():
            for folder in self._root.glob("??"):
                with os.scandir(folder) as entries:
                    for entry in entries:
                        with suppress(FileNotFoundError):  # a sweep has just removed it
                            if SHA256.fullmatch(entry.name):
                                size += entry.stat().st_size
                                count += 1
        return Usage(count, size)

    def clean(self) -> int:
        """Blobs that a killed sweep had taken aside come back."""
        put_back(self._root)
        return self._staging.clean()
