"""Compression both ways: bodies that clients send, answers that clients want compressed."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from typing import IO, Final, NamedTuple, Protocol, cast

import brotli  # type: ignore[import-untyped]
import lz4.frame  # type: ignore[import-untyped]
import zstandard

from infra.clickhouse.blocks import METHODS, BlockEncoder
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


def _unbrotli(chunks: Iterable[bytes]) -> Iterator[bytes]:
    stream = brotli.Decompressor()
    for data in chunks:
        piece = stream.process(data, output_buffer_limit=_PIECE // 2)  # it may give twice that
        while piece:
            yield piece
            piece = b"" if stream.is_finished() else stream.process(b"", output_buffer_limit=_PIECE // 2)
    if not stream.is_finished():
        raise RuntimeError("the brotli stream is cut off")


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
    "br": _unbrotli,
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
    except (zlib.error, zstandard.ZstdError, brotli.error, RuntimeError) as error:
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


class _Brotli:
    def __init__(self) -> None:
        self._stream = brotli.Compressor(quality=2)

    def compress(self, data: bytes) -> bytes:
        return bytes(self._stream.process(data))

    def flush(self) -> bytes:
        return bytes(self._stream.finish())


class Coding(NamedTuple):
    """How an answer is compressed: the encoder (a new one per answer), and the Content-Encoding that says so.

    ClickHouse's own blocks have none: who asked for them expects them, however short the answer.
    """

    encoder: Callable[[], Encoder]
    name: str = ""


# In the order of preference: the cheapest first, as a ClickHouse server chooses.
_ENCODERS: Final[dict[str, Callable[[], Encoder]]] = {
    "lz4": _Lz4,
    "zstd": lambda: zstandard.ZstdCompressor(level=1).compressobj(),
    "gzip": lambda: zlib.compressobj(3, wbits=_GZIP),
    "deflate": lambda: zlib.compressobj(3, wbits=_ZLIB),
    "br": _Brotli,
}


def negotiate(accept_encoding: str) -> Coding | None:
    """The coding of an answer to a client with this Accept-Encoding; None for none."""
    accepted = {match[1].lower() for match in _ACCEPTED.finditer(accept_encoding)}
    return next((Coding(make, name) for name, make in _ENCODERS.items() if name in accepted), None)


def own_blocks(method: str) -> Coding:
    """The coding of `compress=1`, with a value of the setting network_compression_method."""
    if method.upper() not in METHODS:
        raise QueryFailed(Code.UNKNOWN_COMPRESSION_METHOD, f"Unknown compression method {method!r} of blocks")
    return Coding(lambda: BlockEncoder(method.upper()))
