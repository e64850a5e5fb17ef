"""Content-addressed storage of uploaded bytes: a blob is named by the SHA-256 of its content and never changes.

The event log holds only these names, so a blob must be safe before the event that names it is appended:
`BlobStore.commit` returns when the content and its name have reached the disk, or the object store has them.
"""

from __future__ import annotations

from infra.blobs.files import IN_MEMORY, MANY_FILES, FileBlobs
from infra.blobs.opening import open_blobs, open_exchange
from infra.blobs.store import BlobStore
from infra.blobs.writer import SMALL, Blob, BlobWriter

__all__ = [
    "IN_MEMORY",
    "MANY_FILES",
    "SMALL",
    "Blob",
    "BlobStore",
    "BlobWriter",
    "FileBlobs",
    "open_blobs",
    "open_exchange",
]
