"""Zip archives: written as a stream; and those that somebody sent, opened within bounds."""

from __future__ import annotations

import io
import shutil
import time
import zipfile
from collections.abc import Iterable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Protocol

from infra.archives import Bounds
from infra.archives.zips import ZipArchive

LEVEL = 1
"""Of compression: annotations shrink to a tenth with the least effort, and hardly more with the most."""

BLOCK = 256 * 1024
MAX_FILES = 200_000
MAX_BYTES = 16 * 1024**3
"""Of all files in an archive, unpacked."""


class Sink(Protocol):
    """Where bytes go, in order."""

    def write(self, data: bytes) -> object: ...


class _Forward(io.RawIOBase):
    """A sink as a file that can't be read, or gone back in."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        content = bytes(data)  # type: ignore[call-overload]
        self._sink.write(content)
        return len(content)


class ZipWriter:
    """Files go into the archive one after the other; none of them is kept."""

    def __init__(self, sink: Sink) -> None:
        self._zip = zipfile.ZipFile(_Forward(sink), "w", allowZip64=True)
        self._date = time.gmtime()[:6]

    def text(self, name: str, pieces: Iterable[str]) -> None:
        """A compressed file, UTF-8."""
        with self._zip.open(self._entry(name, zipfile.ZIP_DEFLATED), "w", force_zip64=True) as file:
            for block in _blocks(pieces):
                file.write(block)

    def copy(self, name: str, file: Path) -> None:
        """A compressed copy of a file."""
        entry = self._entry(name, zipfile.ZIP_DEFLATED)
        with file.open("rb") as source, self._zip.open(entry, "w", force_zip64=True) as target:
            shutil.copyfileobj(source, target, BLOCK)

    def add(self, name: str, content: bytes) -> None:
        """A file as it is: pictures do not shrink."""
        self._zip.writestr(self._entry(name, zipfile.ZIP_STORED), content)

    def close(self) -> None:
        self._zip.close()

    def _entry(self, name: str, kind: int) -> zipfile.ZipInfo:
        entry = zipfile.ZipInfo(name, self._date)
        entry.compress_type = kind
        entry._compresslevel = LEVEL  # type: ignore[attr-defined]
        entry.external_attr = 0o644 << 16
        return entry


def _blocks(pieces: Iterable[str]) -> Iterator[bytes]:
    block: list[str] = []
    size = 0
    for piece in pieces:
        block.append(piece)
        size += len(piece)
        if size >= BLOCK:
            yield "".join(block).encode()
            block, size = [], 0
    yield "".join(block).encode()


def is_zip(path: Path) -> bool:
    """By how the file begins, whatever its name is."""
    with path.open("rb") as file:
        return file.read(4) in (b"PK\x03\x04", b"PK\x05\x06")


@contextmanager
def sent_zip(path: Path, name: str) -> Iterator[ZipArchive]:
    """`name`: what messages call it. Raises MediaError for one that is damaged, hostile or too large."""
    with closing(ZipArchive(path, name, Bounds(path.stat().st_size, MAX_FILES, MAX_BYTES))) as archive:
        yield archive
