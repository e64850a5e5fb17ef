"""Where blobs are kept."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

from infra.blobs.writer import Blob, BlobWriter


class BlobStore(Protocol):
    """Where blobs are kept. Every method that takes a `sha256` raises Invalid when the text isn't one."""

    def writer(self) -> BlobWriter:
        """A new blob to be fed as its bytes arrive; nothing is stored before `commit`."""

    def commit(self, writers: Sequence[BlobWriter]) -> list[Blob]:
        """Store what was written, once per content, and return when all of it would survive a power cut.

        All or none may be relied on: on an error every writer is aborted and Unavailable is raised.
        """

    def put(self, chunks: Iterable[bytes]) -> Blob:
        """Store one blob from its parts, as durably as `commit` does."""

    def open(self, sha256: str) -> BinaryIO:
        """The content for reading. Raises NotFound."""

    def path(self, sha256: str) -> Path:
        """A local file with the content, not to be written to. Raises NotFound."""

    def size(self, sha256: str) -> int:
        """Length in bytes. Raises NotFound."""

    def exists(self, sha256: str) -> bool: ...

    def verify(self, sha256: str) -> bool:
        """True when the blob is there and its content still has this hash (reads all of it)."""
