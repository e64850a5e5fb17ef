"""ClickHouse's own compression, of `compress=1` and `decompress=1`: a stream of blocks.

A block is CityHash128 (version 1.0.2, 16 bytes) of what follows it; the method (1 byte); the size of the block without
the hash and the size of its content (4 bytes each, little endian); the content, compressed.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Iterator
from typing import Final

import lz4.block  # type: ignore[import-untyped]
import zstandard
from clickhouse_cityhash.cityhash import CityHash128  # type: ignore[import-untyped]

from infra.clickhouse.errors import Code, QueryFailed

_HASH: Final = struct.Struct("<QQ")
_HEAD: Final = struct.Struct("<BII")
_NONE, _LZ4, _ZSTD = 0x02, 0x82, 0x90
_CONTENT: Final = 1024 * 1024
"""Of a block that is written, as on a server."""
LARGEST: Final = 128 * 1024 * 1024
"""Of a block that is read: clickhouse-go sends a whole batch as one."""

_PACK: Final[dict[int, Callable[[bytes], bytes]]] = {
    _NONE: bytes,
    _LZ4: lambda content: bytes(lz4.block.compress(content, store_size=False)),
    _ZSTD: lambda content: zstandard.ZstdCompressor(level=1).compress(content),
}
_UNPACK: Final[dict[int, Callable[[bytes, int], bytes]]] = {
    _NONE: lambda data, _: data,
    _LZ4: lambda data, size: bytes(lz4.block.decompress(data, uncompressed_size=size)),
    _ZSTD: lambda data, size: zstandard.ZstdDecompressor().decompress(data, max_output_size=size),
}
METHODS: Final = {"LZ4": _LZ4, "LZ4HC": _LZ4, "ZSTD": _ZSTD, "NONE": _NONE}
"""By the value of the setting network_compression_method."""


class BlockEncoder:
    """An encoder of answers (see compression.Encoder)."""

    def __init__(self, method: str) -> None:
        self._method = METHODS[method]

    def compress(self, data: bytes) -> bytes:
        pieces = (data[start : start + _CONTENT] for start in range(0, len(data), _CONTENT))
        return b"".join(_block(self._method, piece) for piece in pieces)

    def flush(self) -> bytes:
        return b""


def _block(method: int, content: bytes) -> bytes:
    data = _PACK[method](content)
    hashed = _HEAD.pack(method, len(data) + _HEAD.size, len(content)) + data
    return _hash(hashed) + hashed


def _hash(data: bytes) -> bytes:
    value = CityHash128(data)
    return _HASH.pack(value >> 64, value & 0xFFFF_FFFF_FFFF_FFFF)


def unblocked(chunks: Iterable[bytes], largest: int = LARGEST) -> Iterator[bytes]:
    """The contents of the blocks. Raises QueryFailed for a block that is damaged, cut off or has more than `largest`
    bytes, which is decided before they are unpacked.
    """
    taken = _Taken(chunks)
    while checksum := taken.take(_HASH.size):
        head = taken.take(_HEAD.size)
        if len(head) < _HEAD.size:
            raise _damaged("it ends within a block")
        method, size, content = _HEAD.unpack(head)
        if method not in _UNPACK or not _HEAD.size <= size <= largest or content > largest:
            raise _damaged(f"a block of method {method:#x} with {size} bytes, of {content}")
        data = taken.take(size - _HEAD.size)
        if _hash(head + data) != checksum:
            raise QueryFailed(Code.CHECKSUM_DOESNT_MATCH, "Checksum doesn't match: corrupted data")
        yield _content(method, data, content)


def _content(method: int, data: bytes, size: int) -> bytes:
    try:
        content = _UNPACK[method](data, size)
    except (lz4.block.LZ4BlockError, zstandard.ZstdError, ValueError) as error:
        raise _damaged(str(error)) from error
    if len(content) != size:
        raise _damaged(f"a block has {len(content)} bytes instead of {size}")
    return content


def _damaged(reason: str) -> QueryFailed:
    return QueryFailed(Code.CANNOT_DECOMPRESS, f"Cannot decompress the body: {reason}")


class _Taken:
    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks, self._rest = iter(chunks), bytearray()

    def take(self, size: int) -> bytes:
        """The next `size` bytes, fewer at the end."""
        while len(self._rest) < size and (chunk := next(self._chunks, b"")):
            self._rest += chunk
        taken = bytes(self._rest[:size])
        del self._rest[:size]
        return taken
