"""kafka-python's connection to the brokers, where a broker that does not answer must not stop what others could do."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable
from functools import partial
from typing import Any

from kafka.errors import (
    KafkaConnectionError,
    KafkaTimeoutError,
    SaslAuthenticationFailedError,
    UnsupportedSaslMechanismError,
)
from kafka.net.compat import KafkaNetClient
from kafka.net.manager import KafkaConnectionManager
from kafka.net.selector import NetworkSelector

CONNECTING_MS = 3_000
"""So long a broker may take until it answers a new connection. Then another one is asked, if another one will do."""

LIMITS = {
    "socket_connection_setup_timeout_ms": CONNECTING_MS,
    "socket_connection_setup_timeout_max_ms": CONNECTING_MS,
}
RETRY_SECONDS = 0.1

SILENT_SECONDS = 30.0
"""So long nobody asks a broker again who did not answer, if there is another one to ask."""

_silent: dict[tuple[str, int], float] = {}
"""When each of them was asked last, by any client of this process: each would wait for them anew."""


class Client(KafkaNetClient):  # type: ignore[misc]
    """For every consumer, producer and administrator."""

    def __init__(self, **configs: Any) -> None:
        net = NetworkSelector(**configs)
        super().__init__(net, _Manager(net, **configs | LIMITS))

    def await_ready(self, node_id: int | str, timeout_ms: float = 30_000) -> bool:
        """False when a broker can't be reached. The library's own raises then, whereupon a producer forgets what it was
        about to tell a transaction's coordinator: the transaction never begins, or never ends.
        """
        try:
            return bool(super().await_ready(node_id, timeout_ms))
        except KafkaConnectionError:
            time.sleep(RETRY_SECONDS)
            return False


class _Manager(KafkaConnectionManager):  # type: ignore[misc]
    def __init__(self, net: NetworkSelector, **configs: Any) -> None:
        super().__init__(net, **configs)
        self._asked: tuple[str, int] | None = None
        self._trouble = ""

    def bootstrap(self, timeout_ms: float | None = None, refresh: bool = True) -> None:
        """What is being made by this, and fails, nobody ever gets to close: it is closed here. The library would leave
        its sockets open, and an administrator's thread running.
        """
        try:
            self._ask_in_turn(timeout_ms, refresh)
        except BaseException:
            self.close()
            self._net.close()
            raise

    def _ask_in_turn(self, timeout_ms: float | None, refresh: bool) -> None:
        """One server after the other. The library's own gives all the time to the first, chosen at random, and does not
        say what was wrong with it.
        """
        deadline = None if timeout_ms is None else time.monotonic() + timeout_ms / 1_000
        everybody = self.cluster._bootstrap_brokers
        while True:
            self.cluster._bootstrap_brokers = _without_silent(everybody)
            try:
                return super().bootstrap(CONNECTING_MS, refresh)  # type: ignore[no-any-return]
            except KafkaTimeoutError as error:
                if self._asked is not None:
                    _silent[self._asked] = time.monotonic()
                if deadline is not None and time.monotonic() > deadline:
                    raise KafkaTimeoutError(f"none of the brokers lets us in{self._trouble}") from error
            finally:
                self.cluster._bootstrap_brokers = everybody

    def get_connection(self, node_id: int | str, **options: Any) -> Any:
        known = self._conns.get(node_id)
        connection = super().get_connection(node_id, **options)
        if connection is not known:
            connection.close = partial(self._close, connection.close, node_id)
        return connection

    def _close(
        self, close: Callable[[Exception | None], None], node_id: int | str, error: Exception | None = None
    ) -> None:
        """The library forgets that a broker did not let it in, and tries again and again. Only of the first connection:
        whoever has been let in may find a broker that does not know everybody yet.
        """
        refused = isinstance(error, SaslAuthenticationFailedError | UnsupportedSaslMechanismError)
        if refused and self.cluster.is_bootstrap(node_id):
            self._auth_failures[node_id] = error
        close(error)

    async def _build_transport(self, node: Any, timeout_at: float | None = None) -> Any:
        """What can't connect gives its socket back now. The library's error holds it, and in a circle itself: it would
        go when the garbage collector comes by, which is seldom in a process that has nothing to do.
        """
        self._asked = node.host, node.port
        since = time.monotonic()
        try:
            transport = await super()._build_transport(node, timeout_at)
        except Exception as error:
            self._trouble = f" ({node.host}:{node.port}: {error})"
            _forget_frames(error)
            if time.monotonic() < since + CONNECTING_MS / 2_000:
                self._asked = None  # it was quick to say no: that is an answer
            raise
        transport._sock_recv = partial(_receive, transport._sock_recv)
        return transport


def _receive(receive: Callable[[], tuple[bytes, Exception | None]]) -> tuple[bytes, Exception | None]:
    """What came before the end counts. The library throws it away when it meets both at once, as it often does when a
    broker says why it breaks the connection. The end is met again.
    """
    data, error = receive()
    return data, None if data else error


def _forget_frames(error: BaseException | None) -> None:
    """What the functions knew that have failed."""
    while error is not None:
        traceback.clear_frames(error.__traceback__)
        error = error.__context__


def _without_silent(brokers: dict[str, Any]) -> dict[str, Any]:
    """All of them, when none of them has answered."""
    since = time.monotonic() - SILENT_SECONDS
    answering = {
        name: broker for name, broker in brokers.items() if _silent.get((broker.host, broker.port), since) <= since
    }
    return answering or brokers
