"""Whether a video file is as long as its container says. FFmpeg plays what there is of one that was cut off."""

from __future__ import annotations

from typing import BinaryIO

from infra.media.refusal import Refused

_EBML, _SEGMENT = b"\x1a\x45\xdf\xa3", b"\x18\x53\x80\x67"


def check_length(file: BinaryIO, size: int) -> None:
    """`size`: of the file, in bytes. Raises Refused."""
    file.seek(0)
    start = file.read(4096)
    announced = 0
    if start.startswith(b"RIFF"):
        announced = 8 + int.from_bytes(start[4:8], "little")
    elif start.startswith(_EBML):
        announced = _matroska_length(start)
    elif start[4:8] == b"ftyp":
        announced = _boxes_length(file, size)
    if announced > size:
        raise Refused(f"is incomplete: it has {size:,} bytes of {announced:,}")


def _boxes_length(file: BinaryIO, size: int) -> int:
    """The end of the last of the boxes that an MP4 file consists of."""
    position = 0
    while position < size:
        file.seek(position)
        header = file.read(16)
        length = int.from_bytes(header[:4], "big")
        if length == 1:  # too large for four bytes
            length = int.from_bytes(header[8:16], "big")
        if length < 8:  # 0: as far as the file goes
            return size
        position += length
    return position


def _matroska_length(start: bytes) -> int:
    """The end of the segment, in which everything is; 0 when the file was written as a stream and doesn't know it."""
    length, position = _variable_number(start, len(_EBML))
    position += length
    if start[position : position + 4] != _SEGMENT:
        return 0
    length, position = _variable_number(start, position + 4)
    return position + length if length else 0


def _variable_number(data: bytes, position: int) -> tuple[int, int]:
    """A length as EBML writes it (as many leading zero bits as there are further bytes), and where it ends. All ones,
    for "unknown", count as 0.
    """
    first = data[position] if position < len(data) else 0
    more = 8 - first.bit_length()
    if more > 7:
        return 0, position + 1
    end = position + 1 + more
    number = int.from_bytes(data[position:end], "big") & ((1 << 7 * (more + 1)) - 1)
    return (0 if number == (1 << 7 * (more + 1)) - 1 else number), end
