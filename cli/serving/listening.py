"""The sockets and ports of a server."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from domain.errors import Unavailable

BACKLOG = 2048
ANY_ADDRESS = ("", "0.0.0.0", "::")  # noqa: S104  (compared with, not bound to)


def listen(host: str, port: int, option: str = "--port", *, shared: bool = False) -> socket.socket:
    """A listening socket. Clients that come before anybody accepts wait. `option`: what the error message advises.
    `shared`: several processes listen on the port, each with a socket of its own, and the kernel deals the connections
    out among them; at a common socket the one that is awake takes them all.
    """
    with _telling(host, port, option):
        return socket.create_server((host, port), family=_family(host, port), backlog=BACKLOG, reuse_port=shared)


def reserve(host: str, port: int) -> socket.socket:
    """Keeps a port for processes that will share it. Raises Unavailable when somebody else has it."""
    with listen(host, port) as probe:
        address = probe.getsockname()
        family = probe.family
    with _telling(host, port, "--port"):
        kept = socket.socket(family)
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        kept.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        kept.bind(address)
        return kept


@contextmanager
def _telling(host: str, port: int, option: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno and error.errno > 0 else str(error)
        raise Unavailable(f"Can't listen on {host} port {port}: {reason} ({option} chooses another)") from error


def _family(host: str, port: int) -> socket.AddressFamily:
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0][0]


def local_url(host: str, port: int) -> str:
    """The URL by which a client on this machine reaches what listens on `host`."""
    if host in ANY_ADDRESS:
        host = "::1" if host == "::" else "127.0.0.1"
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


class Listening:
    """What a server listens on: the API's port and a port for the embedded ClickHouse (None: a ClickHouse elsewhere is
    used). A single API process inherits the socket, so that clients wait while it is started again; several have one
    each.
    """

    def __init__(self, host: str, port: int, clickhouse_port: int | None, workers: int) -> None:
        self.host = host
        self.shared = workers > 1
        self.socket = reserve(host, port) if self.shared else listen(host, port)
        self.port: int = self.socket.getsockname()[1]
        try:
            self.clickhouse_port = None if clickhouse_port is None else _free_port(host, clickhouse_port)
        except Unavailable:
            self.socket.close()
            raise

    @property
    def url(self) -> str:
        return local_url(self.host, self.port)

    @property
    def clickhouse_url(self) -> str | None:
        return None if self.clickhouse_port is None else local_url(self.host, self.clickhouse_port)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.socket.close()


def _free_port(host: str, port: int) -> int:
    """The port, found free; the process that serves ClickHouse will bind it."""
    with listen(host, port, "--clickhouse-port") as probe:
        return int(probe.getsockname()[1])
