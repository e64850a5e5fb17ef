"""Writing the answer: headers, compression, one piece or many, and errors before and after the first byte."""

from __future__ import annotations

import asyncio
import platform
import secrets
import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import orjson

from infra.clickhouse.body import Disconnected, Message
from infra.clickhouse.compression import Coding, Encoder
from infra.clickhouse.early_headers import EarlyHeaders
from infra.clickhouse.engine import Result
from infra.clickhouse.errors import QueryFailed
from infra.clickhouse.execution import Progress

Send = Callable[[Message], Awaitable[None]]
Headers = dict[str, str]

_TEXT: Final = {"Content-Type": "text/plain; charset=UTF-8"}
_WORTH_COMPRESSING: Final = 1024


class Answer:
    """The answer to one request. Raises Disconnected when the client takes no byte for `silence` seconds."""

    def __init__(self, send: Send, silence: float, version: str, early: EarlyHeaders | None = None) -> None:
        self._send, self._silence, self._version, self._early = send, silence, version, early
        self._encoder: Encoder | None = None
        self._tag = ""
        self.begun = False

    async def text(self, text: str, status: int = 200, headers: Mapping[str, str] | None = None) -> None:
        await self.whole(text.encode(), {**_TEXT, **(headers or {})}, None, status)

    async def error(self, error: QueryFailed, headers: Mapping[str, str]) -> None:
        """The error as a ClickHouse server reports it; after the first byte, at the end of a broken-off body."""
        if self.begun:
            await self._break_off(error.text(self._version))
            return
        extra = {"X-ClickHouse-Exception-Code": str(error.code)}
        if error.code == 516:
            extra["WWW-Authenticate"] = 'Basic realm="ClickHouse"'
        await self.text(error.text(self._version), error.status, {**headers, **extra})

    def early(self, line: bytes) -> None:
        """A header ahead of the others, if the server can send such."""
        if self._early and not self.begun:
            self._early.send(line)

    async def whole(self, body: bytes, headers: Mapping[str, str], coding: Coding | None, status: int = 200) -> None:
        """A body that is known from the first to the last byte."""
        extra: Headers = {}
        if coding and (len(body) >= _WORTH_COMPRESSING or not coding.name):
            extra = _encoding(coding)
            body = await asyncio.to_thread(_compressed, body, coding)
        await self._start(status, {**headers, **extra, "Content-Length": str(len(body))})
        await self._put(body, more=False)

    async def begin(self, headers: Mapping[str, str], coding: Coding | None) -> None:
        """The head of a body of unknown length, for `part` and `end`."""
        self._tag = secrets.token_hex(8)
        extra = {"X-ClickHouse-Exception-Tag": self._tag}
        if coding:
            self._encoder = coding.encoder()
            extra |= _encoding(coding)
        await self._start(200, {**headers, **extra})

    async def part(self, data: bytes) -> None:
        if self._encoder:
            data = await asyncio.to_thread(self._encoder.compress, data)
        if data:
            await self._put(data, more=True)

    async def end(self) -> None:
        await self._put(self._encoder.flush() if self._encoder else b"", more=False)

    async def _break_off(self, text: str) -> None:
        """The error where clients look for it (ClickHouse since 25.11), then no proper end of the body."""
        mark = f"__exception__\r\n{self._tag}\r\n{text}{len(text.encode())} {self._tag}\r\n__exception__\r\n"
        await self.part(f"\r\n{mark}".encode())
        if self._encoder:
            await self._put(self._encoder.flush(), more=True)

    async def _start(self, status: int, headers: Mapping[str, str]) -> None:
        self.begun = True
        raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers.items()]
        await self._within({"type": "http.response.start", "status": status, "headers": raw})

    async def _put(self, data: bytes, more: bool) -> None:
        await self._within({"type": "http.response.body", "body": data, "more_body": more})

    async def _within(self, message: Message) -> None:
        try:
            # Not wait_for, which in Python 3.11 forgets a cancellation that comes as it ends: a KILL would be lost.
            async with asyncio.timeout(self._silence):
                await self._send(message)
        except TimeoutError:
            raise Disconnected from None


def _encoding(coding: Coding) -> Headers:
    return {"Content-Encoding": coding.name} if coding.name else {}


def _compressed(body: bytes, coding: Coding) -> bytes:
    coder = coding.encoder()
    return coder.compress(body) + coder.flush()


def server_headers(query_id: str, timezone: str) -> Headers:
    """The headers that every answer to a statement has."""
    return {
        "X-ClickHouse-Query-Id": query_id,
        "X-ClickHouse-Server-Display-Name": platform.node() or "localhost",
        "X-ClickHouse-Timezone": timezone,
    }


def result_headers(progress: Progress) -> Headers:
    """Format and summary. Statements without a result name no format, by which clients know them."""
    headers = {"X-ClickHouse-Summary": _numbers(progress, progress.result)}
    if progress.format:
        return {**headers, "X-ClickHouse-Format": progress.format, "Content-Type": progress.content_type}
    return {**headers, **_TEXT}


def progress_line(progress: Progress, seen: Result) -> bytes:
    """The header that tells how far a query is."""
    return f"X-ClickHouse-Progress: {_numbers(progress, seen)}\r\n".encode()


def _numbers(progress: Progress, result: Result) -> str:
    numbers = {
        "read_rows": result.read_rows,
        "read_bytes": result.read_bytes,
        "written_rows": result.written_rows,
        "written_bytes": result.written_bytes,
        "total_rows_to_read": result.total_rows,
        "result_rows": result.result_rows,
        "result_bytes": result.result_bytes,
        "elapsed_ns": int((time.monotonic() - progress.started) * 1e9),
    }
    return orjson.dumps({name: str(value) for name, value in numbers.items()}).decode()
