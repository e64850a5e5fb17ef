"""Whether a JPEG file is whole, without decoding all of it."""

from __future__ import annotations

import io
import mmap
import re
from collections.abc import Iterator
from typing import BinaryIO

from infra.media.refusal import Refused

SIGNATURE = b"\xff\xd8\xff"
END = b"\xff\xd9"
_START_OF_SCAN, _END_OF_IMAGE = 0xDA, 0xD9
_WITHOUT_LENGTH = {0x01, 0xD8}
# A marker, in compressed data too: what follows 0xFF there is a stuffed zero, a restart or padding otherwise.
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")
_MOST_SCANS = 100  # usual progressive files have about 10; each costs a pass over the whole picture
_LONGEST_HEADER = 16 << 20  # bytes before the first scan: above it, the file is decoded as it is
_FIRST_BYTES = 1024


def abridged(file: BinaryIO) -> BinaryIO:
    """What must be decoded to know that the whole file can be: of a usual JPEG its headers and first bytes.

    The usual file has one scan. Its end is found by searching for the marker, so a file cut anywhere is noticed;
    and broken headers or tables show when the first bytes are decoded. Inside the scan the library resynchronises
    and never fails. Of a 100 kB file of 640 x 480 pixels all this takes 0.25 ms; decoding 1.4, at 1/8 size 0.75.
    A file with more scans (progressive), or anything else between the scan and the end, is returned as it is:
    only decoding tells.
    Raises Refused.
    """
    data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    start, scans, others = 0, 0, 0
    for code, end in _segments(data):
        others += scans > 0
        if code == _START_OF_SCAN:
            scans += 1
            start = start or end
        if scans > _MOST_SCANS:
            raise Refused(f"is a JPEG of more than {_MOST_SCANS} scans")
    if not scans or others or start > _LONGEST_HEADER:
        return file
    return io.BytesIO(data[: start + _FIRST_BYTES] + END)


def check_2000(file: BinaryIO) -> None:
    """Raises Refused when a JPEG 2000 file has no end marker: its decoder makes do with what there is."""
    if mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ).find(END) < 0:
        raise Refused("is incomplete: the end of the JPEG 2000 image is missing")


def _segments(data: mmap.mmap) -> Iterator[tuple[int, int]]:
    """Each segment's kind and end, as far as the end of the image. Raises Refused when that is missing."""
    position = 2
    while marker := _MARKER.search(data, position):
        position = marker.end()
        code = data[position - 1]
        if code == _END_OF_IMAGE:
            return
        if code not in _WITHOUT_LENGTH:
            position += int.from_bytes(data[position : position + 2], "big")
        yield code, position
    raise Refused("is incomplete: the end of the JPEG image is missing")
