"""HTTP compression both ways: bodies that clients send, answers that clients want compressed."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Final, Protocol, cast

import lz4.frame  # type: ignore[import-untyped]
import zstandard

from infra.clickhouse.errors import Code, QueryFailed

_PIECE: Final = 1024 * 1024
"""A compressed byte can stand for thousands, so nothing is decompressed in pieces larger than this."""
_GZIP, _ZLIB = 31, 15
_ACCEPTED: Final = re.compile(r"([a-z0-9]+)\s*(?:;\s*q=(?!0(?:\.0*)?\s*(?:,|$))[0-9.]+\s*)?(?:,|$)", re.IGNORECASE)


def _inflate(chunks: Iterable[bytes], wbits: int) -> Iterator[bytes]:
    frame = zlib.decompressobj(wbits)
    for data in chunks:
        piece = b""
        while data or len(piece) == _PIECE:
            piece = frame.decompress(data, _PIECE)
            yield piece
            data = frame.unconsumed_tail
            if frame.eof:
                data, piece, frame = frame.unused_data, b"", zlib.decompressobj(wbits)


def _unlz4(chunks: Iterable[bytes]) -> Iterator[bytes]:
    frame = lz4.frame.LZ4FrameDecompressor()
    for data in chunks:
        while data or not frame.needs_input:
            yield frame.decompress(data, max_length=_PIECE)
            data = b""
            if frame.eof:  # clients send one frame per block
                data, frame = frame.unused_data or b"", lz4.frame.LZ4FrameDecompressor()


def _unzstd(chunks: Iterable[bytes]) -> Iterator[bytes]:
    reader = zstandard.ZstdDecompressor().stream_reader(cast(IO[bytes], _Pulled(iter(chunks))), read_across_frames=True)
    while piece := reader.read(_PIECE):
        yield piece


class _Pulled:
    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks, self._rest = chunks, b""

    def read(self, size: int) -> bytes:
        data = self._rest or next(self._chunks, b"")
        self._rest = data[size:]
        return data[:size]


_DECODERS: Final[dict[str, Callable[[Iterable[bytes]], Iterator[bytes]]]] = {
    "": iter,
    "identity": iter,
    "gzip": lambda chunks: _inflate(chunks, _GZIP),
    "deflate": lambda chunks: _inflate(chunks, _ZLIB),
    "lz4": _unlz4,
    "zstd": _unzstd,
}


def decoded(chunks: Iterable[bytes], encoding: str) -> Iterator[bytes]:
    """The pieces of a body sent with this Content-Encoding, none above 1 MiB unless it came uncompressed.

    Raises QueryFailed for an encoding that is not known and for damaged data.
    """
    decoder = _DECODERS.get(encoding.strip().lower())
    if decoder is None:
        known = ", ".join(sorted(filter(None, _DECODERS)))
        raise QueryFailed(Code.UNKNOWN_COMPRESSION_METHOD, f"Unknown Content-Encoding {encoding!r}; known: {known}")
    return _checked(decoder(chunks))


def _checked(pieces: Iterator[bytes]) -> Iterator[bytes]:
    try:
        for piece in pieces:
            if piece:
                yield piece
    except (zlib.error, zstandard.ZstdError, RuntimeError) as error:
        raise QueryFailed(Code.CANNOT_DECOMPRESS, f"Cannot decompress the body: {error}") from error


class Encoder(Protocol):
    def compress(self, data: bytes) -> bytes: ...

    def flush(self) -> bytes: ...


class _Lz4:
    def __init__(self) -> None:
        self._frame = lz4.frame.LZ4FrameCompressor()
        self._head: bytes = self._frame.begin()

    def compress(self, data: bytes) -> bytes:
        head, self._head = self._head, b""
        return head + bytes(self._frame.compress(data))

    def flush(self) -> bytes:
        return self.compress(b"") + bytes(self._frame.flush())


# In the order of preference: the cheapest first, as a ClickHouse server chooses.
_ENCODERS: Final[dict[str, Callable[[], Encoder]]] = {
    "lz4": _Lz4,
    "zstd": lambda: zstandard.ZstdCompressor(level=1).compressobj(),
    "gzip": lambda: zlib.compressobj(3, wbits=_GZIP),
    "deflate": lambda: zlib.compressobj(3, wbits=_ZLIB),
}


def negotiate(accept_encoding: str) -> str | None:
    """The encoding for an answer to a client with this Accept-Encoding; None for none."""
    accepted = {match[1].lower() for match in _ACCEPTED.finditer(accept_encoding)}
    return next((name for name in _ENCODERS if name in accepted), None)


def encoder(encoding: str) -> Encoder:
    """A new encoder; one per answer."""
    return _ENCODERS[encoding]()
