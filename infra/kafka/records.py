"""Batches of records as brokers send them, in Kafka's record format (version 2), and the records in them.

Who has much to read takes batches whole, and another process unpacks them. So nothing here needs the library, which
takes a process 8 MB, and several times as long for a record.
"""

from __future__ import annotations

from collections.abc import Iterator
from struct import Struct
from typing import NamedTuple

import lz4.frame  # type: ignore[import-untyped]

HEADER = Struct(">qiibIhiqqqhii")
CODEC, LZ4, BY_BROKER = 0b111, 3, 0b1000
LARGE = 1024 * 1024
MOST_UNPACKED = 256 * 1024 * 1024
"""Bytes. No relay writes so much at once."""

OTHER_CODECS = {1: "gzip", 2: "snappy", 4: "zstd"}


class RecordBatch(NamedTuple):
    """`data`: all of it, its checksum verified. `first`, `last`: the offsets; `number`: of records."""

    data: bytes
    first: int
    last: int
    number: int

    @classmethod
    def of(cls, data: bytes) -> RecordBatch:
        fields = HEADER.unpack_from(data)
        return cls(data, fields[0], fields[0] + fields[6], fields[12])

    @property
    def unpacked_size(self) -> int:
        """Bytes, as far as the batch itself tells: one that was not compressed by us may not."""
        attributes = HEADER.unpack_from(self.data)[5]
        packed = memoryview(self.data)[HEADER.size :]
        frame = lz4.frame.get_frame_info(packed) if attributes & CODEC == LZ4 else {}
        return max(len(self.data), int(frame.get("content_size", 0)))


class Record(NamedTuple):
    """`timestamp`: milliseconds since 1970. `value`: a large one is a part of the batch, and not copied. `headers`: as
    they are encoded.
    """

    offset: int
    timestamp: int
    value: bytes | memoryview | None
    headers: bytes

    def header(self, name: str) -> bytes | None:
        """None when there is none of that name."""
        number, at = _varint(self.headers, 0)
        for _ in range(number):
            found, at = _bytes(self.headers, at)
            value, at = _bytes(self.headers, at)
            if found == name.encode():
                return value
        return None


def records(data: bytes) -> Iterator[Record]:
    """Those of a batch. Raises ValueError, IndexError and what a codec raises when it is damaged."""
    first, _, _, _, _, attributes, _, began, latest, _, _, _, number = HEADER.unpack_from(data)
    body, at = _unpacked(data, attributes & CODEC), 0
    for _ in range(number):
        length, at = _varint(body, at)
        end = at + length
        if not at < end <= len(body):
            raise ValueError("a record goes on behind the end of its batch")
        later, at = _varint(body, at + 1)  # behind attributes that nobody uses
        delta, at = _varint(body, at)
        _, at = _bytes(body, at)
        size, start = _varint(body, at)
        value, at = (None, start) if size < 0 else (_value(body, start, start + size), start + size)
        yield Record(first + delta, latest if attributes & BY_BROKER else began + later, value, bytes(body[at:end]))
        at = end


def _value(body: bytes | bytearray, start: int, end: int) -> bytes | memoryview:
    return memoryview(body)[start:end] if end - start >= LARGE else bytes(body[start:end])


def _unpacked(data: bytes, codec: int) -> bytes | bytearray:
    packed = memoryview(data)[HEADER.size :]
    if not codec:
        return bytes(packed)
    if codec == LZ4:
        size = int(lz4.frame.get_frame_info(packed)["content_size"])
        return _unpacked_large(packed, size) if size >= LARGE else bytes(lz4.frame.decompress(packed))

    import kafka.codec  # ours never need it

    return bytes(getattr(kafka.codec, f"{OTHER_CODECS[codec]}_decode")(packed))


def _unpacked_large(packed: memoryview, size: int) -> bytearray:
    """A piece at a time: at once, it would be in memory twice. Raises ValueError when it is not as large as it says."""
    if size > MOST_UNPACKED:
        raise ValueError(f"a batch claims to unpack to {size:,} bytes")
    unpacked, at, decompressor = bytearray(size), 0, lz4.frame.LZ4FrameDecompressor()
    for start in range(0, len(packed), LARGE):
        piece = decompressor.decompress(packed[start : start + LARGE])
        if at + len(piece) > size:
            raise ValueError("a batch unpacks to more than it says")
        unpacked[at : at + len(piece)] = piece
        at += len(piece)
    if at < size:
        raise ValueError("a batch is cut off")
    return unpacked


def _varint(data: bytes | bytearray, at: int) -> tuple[int, int]:
    """A signed integer as protobuf encodes it, and where the next thing begins."""
    byte = data[at]
    if byte < 0x80:
        return (byte >> 1) ^ -(byte & 1), at + 1
    number, shift = byte & 0x7F, 7
    while True:
        at += 1
        byte = data[at]
        number |= (byte & 0x7F) << shift
        if byte < 0x80:
            return (number >> 1) ^ -(number & 1), at + 1
        shift += 7


def _bytes(data: bytes | bytearray, at: int) -> tuple[bytes | None, int]:
    """What stands behind its length; None for a length below 0."""
    length, at = _varint(data, at)
    return (None, at) if length < 0 else (bytes(data[at : at + length]), at + length)
