"""What the endpoint adds to uvicorn's protocol: a deadline for requests, and two extensions of the scope.

`clickhouse.early_headers` sends headers ahead of an answer; `clickhouse.admit` tells who has come (connections.py).
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, Final, cast

from uvicorn.protocols.http.h11_impl import H11Protocol

from infra.clickhouse.connections import Connections
from infra.clickhouse.early_headers import EARLY_HEADERS, EarlyHeaders
from infra.clickhouse.users import User

ADMIT: Final = "clickhouse.admit"
Admit = Callable[[User], None]


class EndpointProtocol(H11Protocol):
    """One connection. uvicorn only ends those that are silent after an answer."""

    def __init__(self, connections: Connections, head_seconds: float, **uvicorns: Any) -> None:
        super().__init__(**uvicorns)
        self._guests, self._head_seconds = connections, head_seconds
        self._deadline: asyncio.TimerHandle | None = None

    @property
    def address(self) -> str:
        return self.client[0] if self.client else ""

    @property
    def busy(self) -> bool:
        return not self._awaits_request() and not self.cycle.more_body

    def drop(self) -> None:
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._set_deadline()
        self._guests.arrived(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._guests.left(self)
        self._lift_deadline()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        self._have_an_end()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.conn.trailing_data[0]:
            self._have_an_end()

    def handle_events(self) -> None:
        before = self.cycle
        super().handle_events()
        if self.cycle is not before:  # the application will only see its scope in the loop's next turn
            self._lift_deadline()
            scope = cast(dict[str, Any], self.cycle.scope)
            scope["extensions"] = {EARLY_HEADERS: EarlyHeaders(self.cycle), ADMIT: self._admit}

    def _have_an_end(self) -> None:
        """What has come belongs to a head that is not whole, or to a body that was not waited for."""
        if self._awaits_request() and self._deadline is None:
            self._set_deadline()

    def _admit(self, user: User) -> None:
        self._guests.admit(self, user)

    def _awaits_request(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _set_deadline(self) -> None:
        self._deadline = self.loop.call_later(self._head_seconds, self.drop)

    def _lift_deadline(self) -> None:
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None
