"""Opening an archive of whatever kind its name says."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

from infra.archives.members import Archive, Bounds
from infra.archives.tars import TarArchive
from infra.archives.zips import ZipArchive


@contextmanager
def open_archive(path: Path, name: str, max_files: int, max_bytes: int) -> Iterator[Archive]:
    """`name`: what its owner calls it. Raises MediaError for one that is damaged, hostile or too large."""
    bounds = Bounds(path.stat().st_size, max_files, max_bytes)
    kind = ZipArchive if name.lower().endswith(".zip") else TarArchive
    with closing(kind(path, name, bounds)) as archive:
        yield archive
