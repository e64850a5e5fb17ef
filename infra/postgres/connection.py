"""Connections that do not wait for ever for a server that hangs, or that a network has swallowed.

A statement may take long for good reasons: it is large, or it waits for a lock. So nobody is given up for being slow:
who has waited for a while without a byte looks whether the server still greets a newcomer, and goes on if it does.
"""

from __future__ import annotations

import select
import threading
import time
from collections.abc import Generator
from typing import Any, TypeVar

from psycopg import Connection
from psycopg.abc import PQGen
from psycopg.errors import ConnectionTimeout, OperationalError
from psycopg.rows import DictRow

T = TypeVar("T")

PATIENCE_SECONDS = 2.0
"""Without a byte from the server, before somebody looks whether it answers at all."""

GREETING_SECONDS = 2
"""How long that may take. libpq takes whole seconds, and no fewer."""

FRESH_SECONDS = 1.0
"""How long what one connection has found out holds for the others."""

INTERVAL = 0.1

# A network that swallows what is sent, and says nothing, is noticed by the kernel within some ten seconds.
NETWORK = {
    "connect_timeout": GREETING_SECONDS,
    "keepalives": 1,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""libpq's parameters; those of TCP mean nothing to a Unix socket."""


class Greeting:
    """Whether a server greets newcomers, found out once for all connections to it. Thread-safe."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._asking = threading.Lock()
        self._asked = -FRESH_SECONDS
        self._trouble: OperationalError | None = None

    def expect(self) -> None:
        """Raises OperationalError when it was found missing a moment ago; asks nobody itself."""
        trouble = self._trouble
        if trouble is not None and self._fresh():
            raise type(trouble)(str(trouble))

    def ask(self) -> None:
        """Finds out. Takes GREETING_SECONDS at most."""
        with self._asking:
            if not self._fresh():
                self._trouble = self._meet()
                self._asked = time.monotonic()

    def look(self) -> None:
        """Raises ConnectionTimeout when the server hangs. One that is dead, starting or full does not: it says so, or
        breaks its connections.
        """
        self.ask()
        trouble = self._trouble
        if isinstance(trouble, ConnectionTimeout):
            raise ConnectionTimeout(str(trouble))

    def _fresh(self) -> bool:
        return time.monotonic() < self._asked + FRESH_SECONDS

    def _meet(self) -> OperationalError | None:
        try:
            Connection.connect(self._url, connect_timeout=GREETING_SECONDS).close()
        except OperationalError as error:
            return error.with_traceback(None)
        return None


class PatientConnection(Connection[DictRow]):
    """Waits for an answer for as long as the server greets newcomers, and is closed when it does not."""

    greeting: Greeting

    def wait(self, gen: PQGen[T], interval: float = INTERVAL, timeout: float | None = None) -> T:
        """Raises ConnectionTimeout when the server hangs. Nobody knows then what became of the statement."""
        return super().wait(gen if timeout is not None else self._attended(gen), interval, timeout)

    def look(self) -> None:
        """To be called by who has waited for PATIENCE_SECONDS without this class. Raises as `wait` does."""
        try:
            self.greeting.look()
        except ConnectionTimeout:
            self.close()
            raise

    def _attended(self, gen: PQGen[T]) -> Generator[Any, Any, T]:
        """The same, with a look now and then while nothing comes."""
        try:
            wanted = next(gen)
            silent_since = time.monotonic()
            while True:
                ready = yield wanted
                if ready:
                    silent_since = time.monotonic()
                elif time.monotonic() > silent_since + PATIENCE_SECONDS:
                    self.look()
                    silent_since = time.monotonic()
                wanted = gen.send(ready)
        except StopIteration as end:
            value: T = end.value
            return value


def check(connection: Connection[Any]) -> None:
    """For a pool that lends a connection. Raises what there is to raise when the server has broken it. Costs nothing
    as a rule: a server says nothing to a connection that asks nothing, except good-bye.
    """
    said = select.poll()
    said.register(connection.pgconn.socket, select.POLLIN)
    if said.poll(0):
        connection.execute("")
