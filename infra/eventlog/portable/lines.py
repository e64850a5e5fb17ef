"""The lines of a portable log, written and read."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

import orjson
import zstandard

from domain.errors import Invalid

FORMAT = "annals-log"
VERSION = 1
MAX_LINE = 1024 * 1024 * 1024
"""Bytes of one event, unpacked."""

LEVEL = 6


@dataclass(frozen=True)
class Header:
    """`after` and `until`: the positions between which the events lie (`after` < position ≤ `until`). `whole`: whether
    they are all that lie there. `sequences`: what was handed out of each, so that no id is given twice.
    """

    created: str
    annals: str
    after: int
    until: int
    whole: bool
    sequences: Mapping[str, int]
    format: str = FORMAT
    version: int = VERSION


@dataclass(frozen=True)
class Trailer:
    """`events`: how many; `sha256`: of all lines before this one, unpacked."""

    events: int
    sha256: str


def event_line(fields: Mapping[str, Any], payload: bytes) -> bytes:
    """An event as one JSON object: the columns of the log, and the body in place of `state`."""
    return orjson.dumps({**fields, "body": orjson.Fragment(payload)})


class LineWriter:
    """Lines into a compressed stream, which `finish` ends."""

    def __init__(self, target: BinaryIO, header: Header) -> None:
        self._out = zstandard.ZstdCompressor(level=LEVEL, write_checksum=True).stream_writer(target, closefd=False)
        self._digest = hashlib.sha256()
        self._events = 0
        self._write(orjson.dumps(asdict(header)))

    def event(self, fields: Mapping[str, Any], payload: bytes) -> None:
        """`payload`: the body as JSON text."""
        self._write(event_line(fields, payload))
        self._events += 1

    def finish(self) -> Trailer:
        trailer = Trailer(self._events, self._digest.hexdigest())
        self._out.write(orjson.dumps(asdict(trailer)) + b"\n")
        self._out.close()  # type: ignore[no-untyped-call]
        return trailer

    def _write(self, line: bytes) -> None:
        line += b"\n"
        self._digest.update(line)
        self._out.write(line)


class PortableReader:
    """A portable log, line by line. Raises Invalid for what is no such file, is cut off, or was altered."""

    def __init__(self, source: BinaryIO) -> None:
        unpacked = zstandard.ZstdDecompressor().stream_reader(source, read_across_frames=True, closefd=False)
        self._lines = io.BufferedReader(unpacked, 1024 * 1024)
        self._digest = hashlib.sha256()
        self.header = self._header()

    def events(self) -> Iterator[dict[str, Any]]:
        """One after the other. Only when the last one has been given is it sure that the file is whole."""
        count = 0
        while True:
            line = self._line()
            fields = _parsed(line)
            if "sha256" in fields:
                self._check(fields, count)
                return
            self._digest.update(line)
            count += 1
            yield fields

    def _header(self) -> Header:
        line = self._line()
        fields = _parsed(line)
        if fields.get("format") != FORMAT:
            raise Invalid("This is not a log that `annals log export` wrote")
        if fields.get("version") != VERSION:
            raise Invalid(f"The file has format version {fields.get('version')}: it needs another version of Annals")
        self._digest.update(line)
        return Header(**fields)

    def _line(self) -> bytes:
        try:
            line = self._lines.readline(MAX_LINE)
        except zstandard.ZstdError as error:
            raise Invalid(f"The file is damaged: {error}") from None
        if not line.endswith(b"\n"):
            raise Invalid("The file is cut off: its end is missing")
        return line

    def _check(self, fields: dict[str, Any], count: int) -> None:
        if fields != asdict(Trailer(count, self._digest.hexdigest())):
            raise Invalid("The file was altered: its lines don't have the hash that its end tells")
        if self._lines.read(1):
            raise Invalid("The file goes on after its end")


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        fields = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise Invalid(f"The file is damaged: {error}") from None
    if not isinstance(fields, dict):
        raise Invalid("The file is damaged: a line is no object")
    return fields
