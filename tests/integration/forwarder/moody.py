"""A ClickHouse with moods: a proxy before a real one, which refuses, breaks off or dawdles as it is told."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from ...waiting import SECONDS

OF_THE_CONNECTION = ("host", "connection", "transfer-encoding", "content-length")


@dataclass(frozen=True)
class Answer:
    """In place of ClickHouse's. `code`: ClickHouse's number for the error; None: somebody else answers."""

    status: int
    code: int | None = None
    text: str = "refused by the proxy"


Mood = Callable[[bytes], Answer | None]
"""Of a statement with its data, as it was sent; None: as ClickHouse answers."""


def content(_request: bytes) -> None:
    """Everything is passed on."""


def inserts(answer: Answer) -> Mood:
    """Answers all inserts so; queries as ever."""
    return lambda request: answer if b"INSERT INTO" in request else None


def having(marker: bytes, answer: Answer) -> Mood:
    """Answers inserts with this in their data so."""
    return lambda request: answer if b"INSERT INTO" in request and marker in request else None


def inserts_after(seconds: float) -> Mood:
    """Answers inserts late."""

    def wait(request: bytes) -> None:
        time.sleep(seconds if b"INSERT INTO" in request else 0.0)

    return wait


def withheld(asked: threading.Event, answers: threading.Event) -> Mood:
    """Passes inserts on no sooner than `answers` is set. `asked`: that somebody waits for it."""

    def wait(request: bytes) -> None:
        if b"INSERT INTO" in request:
            asked.set()
            answers.wait(SECONDS)

    return wait


class Moody(ThreadingHTTPServer):
    """`mood` may be changed at any time. `refused`: how many requests got its answer."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, port: int) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind = port
        self.mood: Mood = content
        self.refused = 0
        self.arrives_but_unanswered = False

    def url(self, url: str) -> str:
        """That of the ClickHouse behind, by way of this."""
        parts = urlsplit(url)
        return parts._replace(netloc=f"{parts.netloc.rpartition(':')[0]}:{self.server_port}").geturl()


class _Handler(BaseHTTPRequestHandler):
    server: Moody
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self._body()
        answer = self.server.mood(self.path.encode() + b"\n" + body)
        if answer is not None:
            self.server.refused += 1
            self._refuse(answer)
            return
        passed = http.client.HTTPConnection("127.0.0.1", self.server.behind, timeout=SECONDS)
        headers = {name: value for name, value in self.headers.items() if name.lower() not in OF_THE_CONNECTION}
        try:
            passed.request(self.command, self.path, body, headers)
            response = passed.getresponse()
            data = response.read()
        except OSError:
            self.close_connection = True
            return
        finally:
            passed.close()
        if self.server.arrives_but_unanswered and b"INSERT" in body[:2_000] + self.path.encode():
            self.close_connection = True
            self.connection.close()
            return
        self.send_response(response.status)
        for name, value in response.getheaders():
            if name.lower() not in OF_THE_CONNECTION:
                self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_POST

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding", "").lower() != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        parts = []
        while size := int(self.rfile.readline().split(b";")[0], 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _refuse(self, answer: Answer) -> None:
        text = answer.text.encode()
        if answer.code is not None:
            text = f"Code: {answer.code}. DB::Exception: {answer.text}. (SOME_NAME)".encode()
        self.send_response(answer.status)
        if answer.code is not None:
            self.send_header("X-ClickHouse-Exception-Code", str(answer.code))
        self.send_header("Content-Length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)


@contextmanager
def moody(port: int) -> Iterator[Moody]:
    """Before the ClickHouse on this port."""
    proxy = Moody(port)
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield proxy
    finally:
        proxy.shutdown()
        thread.join()
        proxy.server_close()
