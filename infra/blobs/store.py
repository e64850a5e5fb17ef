"""Where blobs are kept."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple, Protocol

from domain.errors import Invalid
from infra.blobs.writer import Blob, BlobWriter

SHA256 = re.compile(r"[0-9a-f]{64}")

Used = Callable[[Sequence[str]], set[str]]
"""Those of some blobs that something refers to."""


@dataclass(frozen=True, slots=True)
class Unused:
    """A blob that nothing refers to. `size`: bytes."""

    sha256: str
    size: int


class Usage(NamedTuple):
    """What a store holds."""

    blobs: int
    bytes: int


class BlobStore(Protocol):
    """Where blobs are kept. Every method that takes a `sha256` raises Invalid when the text isn't one, and Unavailable
    when the store does not answer.
    """

    def writer(self) -> BlobWriter:
        """A new blob to be fed as its bytes arrive; nothing is stored before `commit`."""

    def commit(self, writers: Sequence[BlobWriter]) -> list[Blob]:
        """Store what was written, once per content, and return when all of it would survive a power cut.

        All or none may be relied on: on an error every writer is aborted and Unavailable is raised.
        """

    def put(self, chunks: Iterable[bytes]) -> Blob:
        """Store one blob from its parts, as durably as `commit` does."""

    def adopt(self, files: Sequence[tuple[str, Path]]) -> None:
        """Store files of this machine under the hashes that their contents have; as durable as what `commit` stores.
        Where the file system is the same they needn't be copied: nobody may write to them any more.
        """

    def open(self, sha256: str) -> BinaryIO:
        """The content for reading. Raises NotFound."""

    def path(self, sha256: str) -> Path:
        """A local file with the content, not to be written to, and to be opened soon (see `paths`). Raises NotFound."""

    def paths(self, names: Sequence[str]) -> list[Path]:
        """`path` of many, fetched side by side. They can be opened for at least ten minutes from now."""

    def size(self, sha256: str) -> int:
        """Length in bytes. Raises NotFound."""

    def sizes(self, names: Collection[str]) -> dict[str, int]:
        """Lengths in bytes of those that are stored; for many at once."""

    def exists(self, sha256: str) -> bool: ...

    def verify(self, sha256: str) -> bool:
        """True when the blob is there and its content still has this hash (reads all of it)."""

    def sweep(self, used: Used, before: float, *, dry_run: bool = False) -> Iterator[Unused]:
        """Removes what nothing refers to and was stored, or stored again, before a POSIX time; yields each such blob.
        Younger ones stay, for they may belong to an upload that is about to be recorded. What is stored again while it
        is being removed stays, or comes back. `dry_run`: nothing is removed.
        """

    def usage(self) -> Usage:
        """Looks at every blob."""

    def clean(self) -> int:
        """Undoes what processes that died left half done; returns the number of files removed. For a start."""


def checked(sha256: str) -> str:
    """The name of a blob, which is safe in a path. Raises Invalid for any other text."""
    if not SHA256.fullmatch(sha256):
        raise Invalid(f"Not the name of a blob: {sha256[:80]!r}")
    return sha256
