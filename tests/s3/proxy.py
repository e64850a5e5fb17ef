"""A way to a server on which connections come to grief as they are told to."""

from __future__ import annotations

import queue
import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

PIECE = 16 * 1024


@dataclass(frozen=True)
class Fault:
    """What befalls a connection. `answer`: given instead of the server's. `resets_after`, `hangs_after`: so many bytes
    of what the server sends, or (`sent`) of what is sent to it. `flips`: the byte with this number on its way to it.
    """

    answer: bytes | None = None
    resets_after: int | None = None
    hangs_after: int | None = None
    flips: int | None = None
    sent: bool = False


FAILS = Fault(answer=b"HTTP/1.1 503 Slow Down\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
GOES_WRONG = Fault(answer=b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
HANGS = Fault(hangs_after=0)


class Proxy:
    """`plan`: the faults of the next connections, one each; when there are none left, connections do well."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._target = (parts.hostname, parts.port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.endpoint = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.plan: queue.SimpleQueue[Fault] = queue.SimpleQueue()
        self.most = 0
        """Connections that were there side by side."""
        self._now = 0
        self._counting = threading.Lock()
        self.passed = 0
        """Bytes that were sent to the server."""
        self._open: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        for each in [self._listener, *self._open]:
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)
            each.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                try:
                    fault = self.plan.get_nowait()
                except queue.Empty:
                    fault = Fault()
                self._serve(client, fault)

    def _serve(self, client: socket.socket, fault: Fault) -> None:
        self._open.append(client)
        if fault.answer is not None:
            threading.Thread(target=_answer, args=(client, fault.answer), daemon=True).start()
            return
        server = socket.create_connection(self._target)
        self._open.append(server)
        mine, none = fault, Fault()
        there, back = (mine, none) if fault.sent or fault.flips is not None else (none, mine)
        threading.Thread(target=self._pump, args=(client, server, there, True), daemon=True).start()
        threading.Thread(target=self._pump, args=(server, client, back, False), daemon=True).start()

    def _pump(self, source: socket.socket, target: socket.socket, fault: Fault, counted: bool) -> None:
        passed = 0
        self._count(1 if counted else 0)
        with suppress(OSError):
            while data := bytearray(source.recv(PIECE)):
                if fault.flips is not None and passed <= fault.flips < passed + len(data):
                    data[fault.flips - passed] ^= 1
                if fault.resets_after is not None and passed + len(data) > fault.resets_after:
                    target.sendall(data[: fault.resets_after - passed])
                    _reset(source)
                    _reset(target)
                    break
                if fault.hangs_after is not None and passed + len(data) > fault.hangs_after:
                    target.sendall(data[: fault.hangs_after - passed])
                    return  # nothing more comes; the connection stays
                target.sendall(data)
                passed += len(data)
                if counted:
                    self.passed += len(data)
        self._count(-1 if counted else 0)
        for each in (source, target):
            with suppress(OSError):
                each.shutdown(socket.SHUT_RDWR)

    def _count(self, number: int) -> None:
        with self._counting:
            self._now += number
            self.most = max(self.most, self._now)


def _answer(client: socket.socket, answer: bytes) -> None:
    with suppress(OSError):
        client.recv(PIECE)
        client.sendall(answer)
        client.shutdown(socket.SHUT_WR)
        while client.recv(PIECE):
            pass
    client.close()


def _reset(connection: socket.socket) -> None:
    """Ends it with an RST, as a process or a machine that dies does."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RD)
    connection.close()


@contextmanager
def running_proxy(target: str) -> Iterator[Proxy]:
    proxy = Proxy(target)
    try:
        yield proxy
    finally:
        proxy.close()
