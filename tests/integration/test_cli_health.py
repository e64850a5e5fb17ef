"""What a container's healthcheck asks."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from .conftest import Annals


class Answering(HTTPServer):
    """Answers every GET with `status`, and remembers the path."""

    status = 200
    asked = ""


class Handler(BaseHTTPRequestHandler):
    server: Answering

    def do_GET(self) -> None:
        self.server.asked = self.path
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing."""


@pytest.fixture
def process() -> Iterator[Answering]:
    server = Answering(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(("status", "code"), [(200, 0), (503, 1), (404, 1)])
def test_well_is_only_who_says_so(annals: Annals, process: Answering, status: int, code: int) -> None:
    process.status = status
    done = annals("health", ANNALS_HOST="0.0.0.0", ANNALS_PORT=str(process.server_port))
    assert (done.returncode, process.asked) == (code, "/api/server/health/")
    assert ("does not answer that all is well" in done.stderr) == bool(code)


def test_a_process_without_an_api_is_asked_on_its_port_for_metrics(annals: Annals, process: Answering) -> None:
    assert annals("health", ANNALS_METRICS_PORT=str(process.server_port)).returncode == 0
    assert process.asked == "/health"


def test_who_does_not_answer_is_not_well(annals: Annals, process: Answering) -> None:
    process.shutdown()
    process.server_close()
    assert annals("health", f"http://127.0.0.1:{process.server_port}/health").returncode == 1
