"""Many frames in one zip file, as CVAT's clients fetch them."""

from __future__ import annotations

import shutil
import zlib
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path, PurePosixPath
from typing import BinaryIO, TypeVar
from zipfile import ZIP_STORED, ZipFile, ZipInfo

from infra.media.frames import compressed_frame, placeholder_frame, turned_original
from infra.media.images import Frame
from infra.media.pool import in_order

_CHECKED = 1000  # bytes
_CONTEXT_QUALITY = 90
Item = TypeVar("Item")


def compressed_chunk(frames: Sequence[Frame | None], quality: int, out: BinaryIO) -> None:
    """Write `000000.jpeg`, `000001.jpeg`, … uncompressed, in the order of the frames; None: a frame left out.

    The same frames give the same bytes. Raises MediaError.
    """
    encoded_chunk(frames, partial(_compressed, quality=quality), out)


def original_chunk(frames: Sequence[Frame | None], out: BinaryIO) -> None:
    """As `compressed_chunk`, with the bytes that were uploaded (EXIF-rotated ones turned and written again).

    Entries keep the extension of the frame's name. Memory use doesn't grow with the size of the files.
    """
    with ZipFile(out, "w", ZIP_STORED) as archive:
        for index, (frame, content) in enumerate(zip(frames, in_order(_original, frames), strict=True)):
            entry = _entry(index, _extension(frame))
            if content is not None:
                archive.writestr(entry, content)
            elif frame:
                entry.file_size = frame.path.stat().st_size
                with frame.path.open("rb") as source, archive.open(entry, "w") as target:
                    shutil.copyfileobj(source, target, 1 << 20)


def encoded_chunk(pictures: Iterable[Item], encode: Callable[[Item], bytes], out: BinaryIO) -> None:
    """As `compressed_chunk`, of pictures that come one by one and that `encode`, on several threads, makes JPEGs of."""
    with ZipFile(out, "w", ZIP_STORED) as archive:
        for index, content in enumerate(in_order(encode, pictures)):
            archive.writestr(_entry(index, "jpeg"), content)


def context_images(images: Sequence[Frame], out: BinaryIO) -> None:
    """What is shown beside a frame, as JPEGs: `<name>.jpg`, as CVAT calls them. Raises MediaError."""
    encode = partial(compressed_frame, quality=_CONTEXT_QUALITY)
    with ZipFile(out, "w", ZIP_STORED) as archive:
        for image, content in zip(images, in_order(encode, images), strict=True):
            archive.writestr(_named_entry(f"{PurePosixPath(image.name).name}.jpg"), content)


def checksum(size: int, start: bytes) -> int:
    """CVAT's X-Checksum of content of that many bytes that begins with `start` (1,000 bytes count)."""
    return zlib.crc32(start[:_CHECKED], zlib.crc32(str(size).encode()))


def file_checksum(path: Path) -> int:
    """`checksum` of a file's content; reads only its beginning."""
    with path.open("rb") as file:
        return checksum(path.stat().st_size, file.read(_CHECKED))


def _compressed(frame: Frame | None, quality: int) -> bytes:
    return compressed_frame(frame, quality) if frame else placeholder_frame()


def _original(frame: Frame | None) -> bytes | None:
    return turned_original(frame)[0] if frame else placeholder_frame()


def _entry(index: int, extension: str) -> ZipInfo:
    return _named_entry(f"{index:06d}.{extension}")


def _named_entry(name: str) -> ZipInfo:
    entry = ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))
    entry.create_system = 3  # Unix, wherever this runs
    entry.external_attr = 0o644 << 16
    return entry


def _extension(frame: Frame | None) -> str:
    """That of the name, unless it is something that shouldn't be in a file name."""
    suffix = PurePosixPath(frame.name).suffix[1:] if frame else "jpeg"
    return suffix if suffix.isascii() and suffix.isalnum() and len(suffix) <= 8 else "bin"
