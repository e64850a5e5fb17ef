"""Crowds that connect to the embedded ClickHouse and say little or nothing, from the same address as everybody else."""

from __future__ import annotations

import http.client
import socket
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress

import httpx
import pytest

from infra.clickhouse.client import connect
from infra.clickhouse.process import EndpointProcess

from .embedded_programs import ENVIRONMENT

PASSWORD = "writer's"
WRITER = {"Authorization": f"Basic {b64encode(f'forwarder:{PASSWORD}'.encode()).decode()}"}
CROWD = 640
"""More than the endpoint lets in."""
HEAD = b"POST /?query=SELECT+1 HTTP/1.1\r\nHost: x\r\n"
OPENINGS = {
    "silent": b"",
    "half a head": HEAD,
    "no body": HEAD + b"Content-Length: 100\r\n\r\n",
    "in chunks": HEAD + b"Transfer-Encoding: chunked\r\n\r\n5\r\nSELEC\r\n",
    "wrong password": HEAD + b"Content-Length: 100\r\nX-ClickHouse-User: forwarder\r\nX-ClickHouse-Key: x\r\n\r\n",
    "answered": b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n",
    "asks": b"GET /?query=SELECT+1 HTTP/1.1\r\nHost: x\r\n\r\n",
}

HASTY = """
import sys
from pathlib import Path
from infra.clickhouse.limits import Limits
from infra.clickhouse.server import serve
ready = lambda port: print(port, flush=True)
serve(Path(sys.argv[1]), "127.0.0.1", 0, "writer's", limits=Limits(head_seconds=2, body_seconds=2), on_ready=ready)
"""


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with EndpointProcess(tmp_path_factory.mktemp("clickhouse"), PASSWORD) as endpoint:
        created = httpx.post(address(endpoint.port), content="CREATE TABLE t (a UInt64) ORDER BY a", headers=WRITER)
        assert created.is_success
        yield endpoint.port


@pytest.fixture(scope="module")
def hasty_port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """Of an endpoint that gives a request two seconds to come."""
    command = [sys.executable, "-c", HASTY, str(tmp_path_factory.mktemp("clickhouse"))]
    with subprocess.Popen(command, env=ENVIRONMENT, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.terminate()


def address(port: int) -> str:
    return f"http://127.0.0.1:{port}/"


@contextmanager
def crowd(port: int, opening: bytes) -> Iterator[None]:
    with ExitStack() as stack:
        for _ in range(CROWD):
            stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=60)).sendall(opening)
        yield


@pytest.mark.parametrize("opening", OPENINGS.values(), ids=OPENINGS)
def test_keep_neither_the_writer_nor_readers_out(port: int, opening: bytes) -> None:
    url = address(port)
    kept = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    kept.auto_open = 0  # it never connects again on its own
    kept.connect()
    assert insert(kept) == 200
    with crowd(port, opening), connect(f"http://forwarder:writer%27s@127.0.0.1:{port}") as writer:
        assert writer.insert("t", [[1], [2]], column_names=["a"]).written_rows == 2
        assert httpx.post(url, content="SELECT 1").text == "1\n"
        with crowd(port, opening):
            assert writer.insert("t", [[3]], column_names=["a"]).written_rows == 1
            assert insert(kept) == 200
            assert httpx.get(url, params={"query": "SELECT 1"}).text == "1\n"
    kept.close()


def insert(connection: http.client.HTTPConnection) -> int:
    connection.request("POST", "/", "INSERT INTO t VALUES (0)", WRITER)
    answer = connection.getresponse()
    answer.read()
    return answer.status


@pytest.mark.parametrize(
    "opening", [b"", HEAD, OPENINGS["answered"] + HEAD], ids=["silent", "half a head", "the second"]
)
def test_a_head_that_does_not_come_ends_the_connection(hasty_port: int, opening: bytes) -> None:
    with socket.create_connection(("127.0.0.1", hasty_port), timeout=60) as late:
        late.sendall(opening)
        assert read(late).count(b"200 OK") == opening.count(b"ping")


def test_a_body_that_drips_is_given_up(hasty_port: int) -> None:
    """Though it is never silent; and so is what drips on after the answer."""
    with socket.create_connection(("127.0.0.1", hasty_port), timeout=60) as dripping:
        dripping.sendall(HEAD + b"Content-Length: 1000000\r\n\r\n")
        answer = drip(dripping)
    assert answer.startswith(b"HTTP/1.1 408")
    assert b"Code: 209" in answer


def drip(dripping: socket.socket) -> bytes:
    """Sends spaces until the connection ends; what came meanwhile."""
    dripping.settimeout(0.05)
    parts = []
    for _ in range(1_200):
        try:
            dripping.sendall(b" ")
            if not (part := dripping.recv(65536)):
                return b"".join(parts)
            parts.append(part)
        except TimeoutError:
            continue
        except ConnectionError:  # what came before that is there still
            with suppress(ConnectionError, TimeoutError):
                parts.append(read(dripping))
            return b"".join(parts)
    pytest.fail("the endpoint goes on taking it")


def read(connection: socket.socket) -> bytes:
    """What comes until the other end closes."""
    parts = []
    while part := connection.recv(65536):
        parts.append(part)
    return b"".join(parts)
