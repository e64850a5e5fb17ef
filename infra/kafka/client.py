"""kafka-python's connection to the brokers, where a broker that does not answer must not stop what others could do."""

from __future__ import annotations

import time
from typing import Any

from kafka.errors import KafkaConnectionError, KafkaTimeoutError
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
    def bootstrap(self, timeout_ms: float | None = None, refresh: bool = True) -> None:
        """Asks one server after the other. The library's own gives all the time to the first, chosen at random."""
        deadline = None if timeout_ms is None else time.monotonic() + timeout_ms / 1_000
        while True:
            try:
                return super().bootstrap(CONNECTING_MS, refresh)  # type: ignore[no-any-return]
            except KafkaTimeoutError:
                if deadline is not None and time.monotonic() > deadline:
                    raise
