"""Headers of an answer that go out before the others, while a query still runs: X-ClickHouse-Progress.

ASGI has no message for that, so the server's protocol offers it as an extension of the scope. When the first of them
has gone, so has the status: 200, whatever comes of the query, as with a ClickHouse server.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

EARLY_HEADERS: Final = "clickhouse.early_headers"
_STATUS: Final = b"HTTP/1.1 200 OK\r\n"


class EarlyHeaders:
    """Of one request. `cycle` is uvicorn's: what writes the answer to `transport`."""

    def __init__(self, cycle: Any) -> None:
        self._cycle = cycle
        self._transport: asyncio.Transport = cycle.transport
        self._begun = False

    def send(self, header: bytes) -> None:
        """`header`: with its line break. Nothing happens once the answer has begun."""
        if self._cycle.response_started or self._transport.is_closing():
            return
        if not self._begun:
            self._begun = True
            self._cycle.transport = _WithoutStatus(self._cycle, self._transport)
            header = _STATUS + header
        self._transport.write(header)


class _WithoutStatus:
    """The transport for the next write, which is the head of the answer: its status line has gone out already."""

    def __init__(self, cycle: Any, transport: asyncio.Transport) -> None:
        self._cycle, self._transport = cycle, transport

    def write(self, data: bytes) -> None:
        self._cycle.transport = self._transport
        self._transport.write(data.partition(b"\r\n")[2])

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)
