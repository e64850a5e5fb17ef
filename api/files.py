"""Files as answers: sent piece by piece, whole or the part that the client asks for (`Range`)."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

PIECE = 512 * 1024
RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})\Z")


@dataclass(frozen=True, slots=True)
class Part:
    """The bytes from `start` up to `end`, exclusive, of a file of `size` bytes."""

    start: int
    end: int
    size: int
    whole: bool = True

    @property
    def satisfiable(self) -> bool:
        return self.whole or self.start < self.end


def wanted_part(request: Request, size: int) -> Part:
    """What `Range` asks for; the whole file for what isn't one plain range, as RFC 9110 allows."""
    match = RANGE.match(request.headers.get("range", "").replace(" ", ""))
    # `If-Range` names a version of the file; without versions none matches, and the answer is the whole.
    if match is None or match[1] == match[2] == "" or "if-range" in request.headers:
        return Part(0, size, size)
    if match[1] == "":
        return Part(max(0, size - int(match[2])), size, size, whole=False)
    start = int(match[1])
    end = min(size, int(match[2]) + 1) if match[2] else size
    if match[2] and int(match[2]) < start:
        return Part(0, size, size)
    return Part(start, end, size, whole=False)


def file_response(request: Request, path: Path, mime: str, headers: Mapping[str, str]) -> Response:
    """200, 206 or 416. Opens the file at once: it may be removed from its folder before it is sent."""
    file = path.open("rb", buffering=0)
    try:
        part = wanted_part(request, os.fstat(file.fileno()).st_size)
        if not part.satisfiable:
            file.close()
            return Response(status_code=416, headers={"Content-Range": f"bytes */{part.size}"})
        return FilePart(file, part, mime, headers)
    except BaseException:
        file.close()
        raise


class FilePart(Response):
    """Sends a part of an open file, and closes it. The first piece is read at once: most answers are no longer."""

    def __init__(self, file: BinaryIO, part: Part, mime: str, headers: Mapping[str, str]) -> None:
        super().__init__(None, 200 if part.whole else 206, dict(headers), mime)
        self.headers["Content-Length"] = str(part.end - part.start)
        self.headers["Accept-Ranges"] = "bytes"
        if not part.whole:
            self.headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{part.size}"
        self._file = file
        self._part = part
        self._first = self._read(part.start)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        try:
            piece, position = self._first, self._part.start + len(self._first)
            while position < self._part.end and piece:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
                piece = await run_in_threadpool(self._read, position)
                position += len(piece)
            await send({"type": "http.response.body", "body": piece})
        finally:
            self._file.close()

    def _read(self, position: int) -> bytes:
        return os.pread(self._file.fileno(), min(PIECE, self._part.end - position), position)
