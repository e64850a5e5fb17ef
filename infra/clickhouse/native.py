"""Native results for clients that say which revision of the protocol they speak (client_protocol_version).

chdb writes Native as revision 0. Clients since revision 54454, clickhouse-go and with it Grafana among them, expect an
information before each block, and behind each column's type whether its serialization is a custom one. Nothing else
differs, so these bytes are put in while the result goes by; the values are only stepped over.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from typing import Final

from infra.clickhouse.native_types import Type, read_type

CUSTOM_SERIALIZATION: Final = 54454
"""The first revision with these bytes. Older clients (clickhouse-connect) find out that we write revision 0."""

_BLOCK_INFO: Final = b"\x01\x00\x02\xff\xff\xff\xff\x00"  # 1: no overflow rows, 2: bucket -1, 0: that is all
_NOT_CUSTOM: Final = b"\x00"


class NativeFraming:
    """Give it the stream of revision 0 in parts of any size; it holds back no more than a length that is cut in two."""

    def __init__(self) -> None:
        self._data = bytearray()
        self._at = 0
        """Where the walk is, counted from the start of `_data`; it may be ahead of what has come."""
        self._sent = 0
        self._out: list[bytes] = []
        self._walk = self._blocks()

    def feed(self, part: bytes) -> bytes:
        """What can be sent on. Raises QueryFailed 48 at a type whose extent is not known."""
        self._data += part
        next(self._walk)
        upto = min(self._at, len(self._data))
        self._emit(upto)
        del self._data[:upto]
        self._at, self._sent = self._at - upto, 0
        done, self._out = b"".join(self._out), []
        return done

    def _emit(self, upto: int) -> None:
        self._out.append(bytes(memoryview(self._data)[self._sent : upto]))
        self._sent = upto

    def _insert(self, extra: bytes) -> None:
        self._emit(self._at)
        self._out.append(extra)

    def _blocks(self) -> Iterator[None]:
        while True:
            yield from self._until(1)
            self._insert(_BLOCK_INFO)
            columns = yield from self._number()
            rows = yield from self._number()
            for _ in range(columns):
                yield from self._text()
                size = yield from self._number()
                yield from self._until(size)
                column = read_type(self._data[self._at : self._at + size].decode())
                self._at += size
                self._insert(_NOT_CUSTOM)
                if rows:
                    self._at += 8 * column.prefixes
                    yield from self._values(column, rows)

    def _values(self, column: Type, rows: int) -> Iterator[None]:
        if column.kind == "fixed":
            self._at += column.width * rows
        elif column.kind == "string":
            yield from self._strings(rows)
        elif column.kind == "nullable":
            self._at += rows
            yield from self._values(column.inner[0], rows)
        elif column.kind == "tuple":
            for inner in column.inner:
                yield from self._values(inner, rows)
        elif column.kind == "array":
            yield from self._array(column.inner[0], rows)
        elif rows:
            yield from self._dictionary(column.inner[0], rows)

    def _array(self, inner: Type, rows: int) -> Iterator[None]:
        if rows:
            self._at += 8 * (rows - 1)
            yield from self._values(inner, (yield from self._integer()))

    def _dictionary(self, inner: Type, rows: int) -> Iterator[None]:
        width = 1 << ((yield from self._integer()) & 0xFF)
        keys = yield from self._integer()
        yield from self._values(inner.inner[0] if inner.kind == "nullable" else inner, keys)
        self._at += 8 + width * rows

    def _strings(self, rows: int) -> Iterator[None]:
        data = self._data
        while rows:
            at, size = self._at, len(data)
            while rows and at < size and (length := data[at]) < 0x80:  # the hot loop: short strings that have come
                at += length + 1
                rows -= 1
            self._at = at
            if rows:
                yield from self._text()
                rows -= 1

    def _text(self) -> Iterator[None]:
        size = yield from self._number()
        self._at += size  # not in one line with the above, which moves _at

    def _number(self) -> Generator[None, None, int]:
        """A variable-length number, passed."""
        value = shift = 0
        while True:
            yield from self._until(1)
            byte = self._data[self._at]
            self._at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7

    def _integer(self) -> Generator[None, None, int]:
        """A 64-bit number, passed."""
        yield from self._until(8)
        value = int.from_bytes(self._data[self._at : self._at + 8], "little")
        self._at += 8
        return value

    def _until(self, size: int) -> Iterator[None]:
        """Waits until `size` bytes from here have come."""
        while len(self._data) < self._at + size:
            yield
