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
        frame = lz4.frame.get_frame_info(self.data[HEADER.size :]) if attributes & CODEC == LZ4 else {}
        return max(len(self.data), int(frame.get("content_size", 0)))


class Record(NamedTuple):
    """`timestamp`: milliseconds since 1970. `headers`: as they are encoded."""

    offset: int
    timestamp: int
    value: bytes | None
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
        value, at = _bytes(body, at)
        yield Record(first + delta, latest if attributes & BY_BROKER else began + later, value, body[at:end])
        at = end


def _unpacked(data: bytes, codec: int) -> bytes:
    packed = data[HEADER.size :]
    if not codec:
        return packed
    if codec == LZ4:
        return bytes(lz4.frame.decompress(packed))

    import kafka.codec  # ours never need it

    return bytes(getattr(kafka.codec, f"{OTHER_CODECS[codec]}_decode")(packed))


def _varint(data: bytes, at: int) -> tuple[int, int]:
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


def _bytes(data: bytes, at: int) -> tuple[bytes | None, int]:
    """What stands behind its length; None for a length below 0."""
    length, at = _varint(data, at)
    return (None, at) if length < 0 else (data[at : at + length], at + length)
