"""Blobs from one store into another: of the same file system without their bytes."""

from __future__ import annotations

import os
import secrets
import shutil
from pathlib import Path

from infra.blobs.disk import disk_errors, fsync
from infra.blobs.files import FileBlobs


class BlobCopier:
    """Copies what is asked for, each blob once, and nothing that is there already. `done`: how many were copied."""

    def __init__(self, source: FileBlobs, target: Path) -> None:
        self._source, self._target = source, target
        self._folders: set[Path] = set()
        self.done = 0

    def copy(self, sha256: str) -> None:
        """Raises NotFound, and Unavailable when the disk does not take it."""
        target = self._target / sha256[:2] / sha256
        if target.exists():
            return
        source = self._source.path(sha256)
        with disk_errors():
            target.parent.mkdir(parents=True, exist_ok=True)
            unfinished = target.with_suffix(f".{secrets.token_hex(4)}.unfinished")
            try:
                os.link(source, unfinished)
            except OSError:  # another file system, or one without links
                shutil.copyfile(source, unfinished)
                fsync(unfinished)
            unfinished.rename(target)
        self._folders.add(target.parent)
        self.done += 1

    def finish(self) -> None:
        """Returns when everything is on disk."""
        with disk_errors():
            for folder in self._folders:
                fsync(folder)
