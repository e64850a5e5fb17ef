"""Blobs as objects."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import BinaryIO, TypeVar

from domain.errors import NotFound, Unavailable
from infra.blobs.disk import disk_errors
from infra.blobs.s3.bucket import AT_ONCE, PAGE, Bucket, Object
from infra.blobs.s3.copies import LocalCopies
from infra.blobs.s3.removal import KEPT_SECONDS, Removal, key_of
from infra.blobs.store import SHA256, Unused, Usage, Used, checked
from infra.blobs.writer import AtOnce, Blob, BlobWriter, Memory, Surroundings
from infra.threads import in_order

SMALL_AT_ONCE = 32
"""Requests under way, each with at most AT_ONCE bytes. A store that answers in 30 ms takes 1,000 photos a second."""

LARGE_AT_ONCE = 4
"""Objects sent in parts at once, each with some parts under way."""

IN_MEMORY = 64 * 1024 * 1024
ASKED_ONE_BY_ONE = 256
"""Up to so many blobs are asked for by name; for more, a listing of everything takes fewer requests."""

TRIES = 10
"""How often a blob is brought back that sweeps remove at this very moment."""

LEAVES = [f"{number:02x}" for number in range(256)]

Answer = TypeVar("Answer")


class S3Blobs:
    """Blobs as objects `ab/abcd…` of a bucket that any number of machines may share.

    What comes in is staged among this machine's local copies, sent when it is committed, and becomes a copy itself.
    """

    def __init__(self, bucket: Bucket, copies: LocalCopies, writing_threads: int) -> None:
        """`writing_threads`: as of FileBlobs."""
        self._bucket, self._copies = bucket, copies
        self._removal = Removal(bucket)
        self._small = ThreadPoolExecutor(SMALL_AT_ONCE, thread_name_prefix="s3-small")
        self._large = ThreadPoolExecutor(LARGE_AT_ONCE, thread_name_prefix="s3-large")
        writers = ThreadPoolExecutor(writing_threads, thread_name_prefix="s3-stage") if writing_threads else AtOnce()
        self._around = Surroundings(Memory(IN_MEMORY), writers, _nothing_is_held)

    def writer(self) -> BlobWriter:
        return BlobWriter(self._copies.staging.new_path(), self._copies.staging, self._around)

    def put(self, chunks: Iterable[bytes]) -> Blob:
        with self.writer() as writer:
            for chunk in chunks:
                writer.write(chunk)
            return self.commit([writer])[0]

    def commit(self, writers: Sequence[BlobWriter]) -> list[Blob]:
        try:
            blobs = [writer.close() for writer in writers]
            fresh = {blob.sha256: (blob, writer.staged) for blob, writer in zip(blobs, writers, strict=True)}
            self._send([(blob, Path(staged)) for blob, staged in fresh.values()])
            for blob, staged in fresh.values():
                self._copies.keep(staged, blob.sha256)
            return blobs
        finally:
            for writer in writers:
                writer.abort()

    def adopt(self, files: Sequence[tuple[str, Path]]) -> None:
        """Raises Unavailable for a file that is damaged."""
        self._send(list(in_order(self._small, SMALL_AT_ONCE, _undamaged, files)))

    def _send(self, files: Sequence[tuple[Blob, Path]]) -> None:
        small = [(blob, file) for blob, file in files if blob.size <= AT_ONCE]
        large = [(blob, file) for blob, file in files if blob.size > AT_ONCE]
        list(in_order(self._large, LARGE_AT_ONCE, self._send_unless_held, large))
        list(in_order(self._small, SMALL_AT_ONCE, self._send_one, small))

    def _send_one(self, item: tuple[Blob, Path]) -> None:
        """A small one is not asked for before: it is sent as fast. Storing it again renews its date, for sweeps."""
        blob, file = item
        self._bucket.put(key_of(blob.sha256), file, blob.size)

    def _send_unless_held(self, item: tuple[Blob, Path]) -> None:
        """If a sweep is removing what is held, it comes back (see `removal`)."""
        blob, _ = item
        try:
            held = self._bucket.head(key_of(blob.sha256)).size == blob.size
        except FileNotFoundError:
            held = False
        if not held:
            self._send_one(item)

    def open(self, sha256: str) -> BinaryIO:
        return self.path(sha256).open("rb")

    def path(self, sha256: str) -> Path:
        return self._copies.get(checked(sha256), lambda out: self._download(sha256, out))

    def paths(self, names: Sequence[str]) -> list[Path]:
        return list(in_order(self._small, SMALL_AT_ONCE, self.path, names))

    def _download(self, sha256: str, out: BinaryIO) -> None:
        def read() -> str:
            out.seek(0)
            out.truncate()
            return self._read(sha256, out.write)

        if self._wherever(sha256, read) != sha256:
            raise Unavailable(f"Blob {sha256} came with another content from the blob store")

    def _read(self, sha256: str, take: Callable[[memoryview], object]) -> str:
        """The hash of what was read. Raises FileNotFoundError."""
        digest = hashlib.sha256()
        for piece in self._bucket.read(key_of(sha256)):
            digest.update(piece)
            take(piece)
        return digest.hexdigest()

    def size(self, sha256: str) -> int:
        return self._wherever(sha256, lambda: self._bucket.head(key_of(checked(sha256)))).size

    def sizes(self, names: Collection[str]) -> dict[str, int]:
        wanted = set(map(checked, names))
        found: dict[str, int] = {}
        if len(wanted) > ASKED_ONE_BY_ONE:
            for objects in self._listed(lambda found: found.key[3:] in wanted):
                found |= {held.key[3:]: held.size for held in objects}
        missing = sorted(wanted - found.keys())  # some may come back from a removal
        asked = in_order(self._small, SMALL_AT_ONCE, self._size_if_held, missing)
        return found | {name: size for name, size in zip(missing, asked, strict=True) if size is not None}

    def _size_if_held(self, sha256: str) -> int | None:
        try:
            return self.size(sha256)
        except NotFound:
            return None

    def exists(self, sha256: str) -> bool:
        return self._size_if_held(sha256) is not None

    def verify(self, sha256: str) -> bool:
        """Reads the object, whatever is on this machine."""
        try:
            return self._wherever(sha256, lambda: self._read(checked(sha256), len)) == sha256
        except NotFound:
            return False

    def _wherever(self, sha256: str, ask: Callable[[], Answer]) -> Answer:
        """What `ask` answers, if need be after the blob was brought back. Raises NotFound."""
        for _ in range(TRIES):
            with suppress(FileNotFoundError):
                return ask()
            if not self._removal.bring_back(sha256):
                break
        raise NotFound(f"Blob {sha256} is not stored here")

    def sweep(self, used: Used, before: float, *, dry_run: bool = False) -> Iterator[Unused]:
        """What it yields goes for good with a sweep two days later; see `removal`."""
        if not dry_run:
            self._removal.settle(used, time.time() - KEPT_SECONDS, self._small)
        for objects in self._listed(lambda found: found.stored < before):
            old = {found.key[3:]: found.size for found in objects}
            unused = [Unused(sha256, old[sha256]) for sha256 in sorted(old.keys() - used(list(old)))]
            yield from unused if dry_run else self._remove(unused, before)

    def _remove(self, unused: Sequence[Unused], before: float) -> Iterator[Unused]:
        done = in_order(self._small, SMALL_AT_ONCE, lambda blob: self._removal.remove(blob, before), unused)
        return (blob for blob, removed in zip(unused, done, strict=True) if removed)

    def usage(self) -> Usage:
        sizes = [found.size for objects in self._listed(lambda _: True) for found in objects]
        return Usage(len(sizes), sum(sizes))

    def _listed(self, wanted: Callable[[Object], bool]) -> Iterator[list[Object]]:
        """The blobs that are wanted, in bounded lists: all, if there are few; else of each leaf, some leaves ahead."""

        def picked(objects: Iterable[Object]) -> list[Object]:
            return [found for found in objects if SHA256.fullmatch(found.key[3:]) and wanted(found)]

        some = list(islice(self._bucket.list(), PAGE))
        if len(some) < PAGE:
            return iter([picked(some)])
        return in_order(self._small, SMALL_AT_ONCE, lambda leaf: picked(self._bucket.list(leaf)), LEAVES)

    def clean(self) -> int:
        """Of what killed processes left on this machine. Parts of an upload that broke off are the bucket's to remove:
        nobody can see them, but they take space.
        """
        return self._copies.staging.clean()


def _undamaged(item: tuple[str, Path]) -> tuple[Blob, Path]:
    sha256, path = item
    with disk_errors(), path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != checked(sha256):
            raise Unavailable(f"Blob {sha256} has another content: it is damaged")
        return Blob(sha256, file.tell()), path


def _nothing_is_held(_: Blob) -> bool:
    """Whether it is held would be one more question to the server."""
    return False
