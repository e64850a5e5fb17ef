"""Zip files."""

from __future__ import annotations

import io
import os
import stat
from collections.abc import Collection, Iterator, Sequence
from functools import partial
from pathlib import Path
from zipfile import ZipFile, ZipInfo

from infra.archives.members import PIECE, Bounds, refusing
from infra.media.refusal import Refused

_LARGEST_DIRECTORY = 256 << 20  # bytes; it is read whole
_ENCRYPTED = 1


class ZipArchive:
    """An `Archive`. To be closed."""

    def __init__(self, path: Path, name: str, bounds: Bounds) -> None:
        """Raises MediaError."""
        self._name = name
        with refusing(name):
            self._guarded = _Guarded(io.FileIO(path))
            self._file = ZipFile(self._guarded)
            self._members = {bounds.admit(info.filename, info.file_size): info for info in _files(self._file)}

    @property
    def names(self) -> Sequence[str]:
        return list(self._members)

    def read(self, names: Collection[str]) -> Iterator[tuple[str, Iterator[bytes]]]:
        wanted = frozenset(names)
        for name, info in self._members.items():
            if name in wanted:
                yield name, self._pieces(info)

    def close(self) -> None:
        self._file.close()
        self._guarded.close()

    def _pieces(self, info: ZipInfo) -> Iterator[bytes]:
        with refusing(f"{self._name}: {info.filename}"):
            if info.flag_bits & _ENCRYPTED:
                raise Refused("is protected by a password")
            # What it unpacks to is no more than its announced size, to which `ZipFile` keeps.
            with self._file.open(info) as file:
                yield from iter(partial(file.read, PIECE), b"")


class _Guarded(io.BufferedReader):
    """A file of which no one reads as much at once as memory can't hold."""

    def read(self, size: int | None = -1, /) -> bytes:
        wanted = os.fstat(self.fileno()).st_size - self.tell() if size is None or size < 0 else size
        if wanted > _LARGEST_DIRECTORY:
            raise Refused("has too large a directory")
        return super().read(wanted)


def _files(file: ZipFile) -> Iterator[ZipInfo]:
    for info in file.infolist():
        if stat.S_ISLNK(info.external_attr >> 16):
            raise Refused(f"holds a link, which is not followed: {info.filename[:80]}")
        if not info.is_dir():
            yield info
