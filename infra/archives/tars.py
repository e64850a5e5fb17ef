"""Tar files, plain or compressed as a whole. These can only be read from the beginning: once to list what is there, and
once more for the files themselves.
"""

from __future__ import annotations

import bz2
import gzip
import lzma
import tarfile
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import IO, cast

from infra.archives.members import PIECE, Bounds, refusing
from infra.media.refusal import Refused

_MOST_AT_ONCE = 4 << 20  # bytes; headers are read whole, and say themselves how long they are


class TarArchive:
    """An `Archive`."""

    def __init__(self, path: Path, name: str, bounds: Bounds) -> None:
        """Raises MediaError."""
        self._path, self._name, self._limit = path, name, bounds.unpacked
        self._names: dict[int, str] = {}
        with refusing(name), self._opened() as tar:
            for member in tar:
                if member.issym() or member.islnk():
                    raise Refused(f"holds a link, which is not followed: {member.name[:80]}")
                if member.isreg():
                    self._names[member.offset] = bounds.admit(member.name, member.size)

    @property
    def names(self) -> Sequence[str]:
        return list(self._names.values())

    def read(self, names: Collection[str]) -> Iterator[tuple[str, Iterator[bytes]]]:
        wanted = frozenset(names)
        with refusing(self._name), self._opened() as tar:
            for member in tar:
                name = self._names.get(member.offset)
                file = tar.extractfile(member) if name in wanted else None
                if name and file:
                    yield name, iter(partial(file.read, PIECE), b"")

    def close(self) -> None:
        """Nothing stays open."""

    @contextmanager
    def _opened(self) -> Iterator[tarfile.TarFile]:
        with _unpacked(self._path) as content:
            guarded = cast("IO[bytes]", _Guarded(content, self._limit))
            with tarfile.TarFile(fileobj=guarded, mode="r", errorlevel=2) as tar:
                yield tar


class _Guarded:
    """A file that is read in pieces, and only so far."""

    def __init__(self, file: IO[bytes], limit: int) -> None:
        self._file, self._limit = file, limit

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _MOST_AT_ONCE:
            raise Refused("has a header of a length that is out of all proportion")
        self._check(self._file.tell() + size)
        return self._file.read(size)

    def seek(self, position: int) -> int:
        self._check(position)
        return self._file.seek(position)

    def tell(self) -> int:
        return self._file.tell()

    def _check(self, position: int) -> None:
        # Headers and padding come on top of the files.
        if position > 2 * self._limit:
            raise Refused(f"unpacks to more than {self._limit:,} bytes")


def _unpacked(path: Path) -> IO[bytes]:
    with path.open("rb") as file:
        start = file.read(6)
    if start.startswith(b"\x1f\x8b"):
        return cast("IO[bytes]", gzip.open(path))
    if start.startswith(b"BZh"):
        return bz2.open(path)
    return lzma.open(path) if start.startswith(b"\xfd7zXZ\x00") else path.open("rb")
