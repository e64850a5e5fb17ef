"""Requests that the server sends out for users."""

from __future__ import annotations

import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from infra.http.addresses import Unreachable
from infra.http.client import Policy, get

from ..ports import free_port

HERE = Policy(seconds=60, max_bytes=1_000, allow_private=True)


@contextmanager
def answering(answer: bytes, tls: ssl.SSLContext | None = None) -> Iterator[tuple[int, list[bytes]]]:
    """A server on this machine that reads one request and answers so; its port, and what it was asked."""
    asked: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        connection, _ = listener.accept()
        with suppress(OSError), tls.wrap_socket(connection, server_side=True) if tls else connection as client:
            asked.append(client.recv(65_536))
            client.sendall(answer)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield listener.getsockname()[1], asked
    finally:
        listener.close()
        thread.join(5)


def body(url: str, policy: Policy = HERE) -> bytes:
    with get(url, policy) as answer:
        return b"".join(answer.pieces())


def test_what_is_asked() -> None:
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi") as (port, asked):
        assert body(f"http://127.0.0.1:{port}/a b/ü?q=%2F&x=[1]#part") == b"hi"
    [request] = asked
    assert request.startswith(b"GET /a%20b/%C3%BC?q=%2F&x=[1] HTTP/1.1\r\n")
    assert f"Host: 127.0.0.1:{port}\r\n".encode() in request
    assert b"Accept-Encoding: identity\r\n" in request


def test_the_usual_port_is_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is signed for a host would not be valid for `host:443`."""
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n") as (port, asked):
        monkeypatch.setattr("infra.http.client.connect", lambda *_, **__: socket.create_connection(("127.0.0.1", port)))
        assert body("http://files.test/a.jpg") == b""
    assert b"Host: files.test\r\n" in asked[0]


def test_who_it_is_is_checked_by_name(tmp_path: Path) -> None:
    """A certificate that nobody vouches for is refused."""
    key, certificate = tmp_path / "key.pem", tmp_path / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2"]
    subprocess.run([*command, "-keyout", key, "-out", certificate], check=True, capture_output=True)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(certificate, key)
    with answering(b"", tls) as (port, asked), pytest.raises(Unreachable, match="does not prove"):
        body(f"https://localhost:{port}/a.jpg")
    assert asked == []


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"", "does not answer as a web server"),
        (b"hello\r\n", "does not answer as a web server"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", "is larger than 1,000 bytes"),
        (b"HTTP/1.1 200 OK\r\n\r\n" + bytes(1_001), "is larger than 1,000 bytes"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" + bytes(2_000) + b"\r\n0\r\n\r\n",
            "is larger than 1,000 bytes",
        ),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nabc", "does not answer as a web server"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "broke off after 3 of 10 bytes"),
        (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 20_000 + b"\r\n", "does not answer as a web server"),
        (b"HTTP/1.1 200 OK\r\nX: " + bytes(70_000), "does not answer as a web server"),
        (b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\n\r\n", "without naming it"),
    ],
    ids=[
        "nothing",
        "no http",
        "announced",
        "endless",
        "chunks",
        "cut chunk",
        "cut",
        "headers",
        "header",
        "no location",
    ],
)
def test_what_is_no_good_answer(answer: bytes, message: str) -> None:
    with answering(answer) as (port, _), pytest.raises(Unreachable, match=message):
        body(f"http://127.0.0.1:{port}/a.jpg")


@pytest.mark.parametrize(
    "url",
    ["ftp://host/a", "http:///a", "http://user:word@127.0.0.1/a", "http://host:99999/", "http://" + "a" * 70 + ".x"],
)
def test_urls_that_are_none(url: str) -> None:
    with pytest.raises(Unreachable, match=r"is not an http or https URL|not known"):
        body(url)


def test_an_unknown_host() -> None:
    with pytest.raises(Unreachable, match=r"nowhere\.invalid is not known"):
        body("http://nowhere.invalid/a.jpg")


def test_a_closed_port() -> None:
    with pytest.raises(Unreachable, match=r"127\.0\.0\.1 does not answer"):
        body(f"http://127.0.0.1:{free_port()}/a.jpg")
