"""`GET /metrics` and `GET /health` of a process that serves no API."""

from __future__ import annotations

import hmac
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import orjson
import structlog

from domain.errors import Unavailable
from infra.metrics.disk import DiskSpace
from infra.metrics.registry import CONTENT_TYPE, exposition
from infra.settings import Settings

PATIENCE_SECONDS = 10.0
"""How long a client may take to say what it wants."""

log = structlog.get_logger(__name__)


@dataclass(frozen=True)
class Health:
    """`reasons`: why the process can't do its work at the moment, in words; none when it can."""

    reasons: tuple[str, ...] = ()


@contextmanager
def serve_metrics(settings: Settings, health: Callable[[], Health]) -> Iterator[int]:
    """Answers on the metrics port of the settings, from threads of its own; with port 0 it does nothing. `health` is
    asked at each `GET /health`, from such a thread. Yields the port. Raises Unavailable when the port is taken.
    """
    if settings.metrics_port == 0:
        yield 0
        return
    with _listening(settings, health) as server:
        thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


def is_scraper(settings: Settings, authorization: str | None) -> bool:
    """Whether this header holds the token that the settings give to Prometheus."""
    expected = f"Bearer {settings.metrics_token}"
    return settings.metrics_token is not None and hmac.compare_digest(
        (authorization or "").encode(errors="replace"), expected.encode()
    )


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, settings: Settings, health: Callable[[], Health]) -> None:
        super().__init__((settings.host, settings.metrics_port), _Handler)
        self.settings = settings
        self.health = health


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = PATIENCE_SECONDS

    def do_GET(self) -> None:
        if self.path == "/health":
            self._health()
        elif self.path == "/metrics":
            self._metrics()
        else:
            self._answer(404, "text/plain", b"/metrics or /health\n")

    def log_message(self, format: str, *args: object) -> None:
        """Nothing: probes come every few seconds."""

    def _metrics(self) -> None:
        settings = self.server.settings
        if settings.metrics_token and not is_scraper(settings, self.headers.get("Authorization")):
            self._answer(401, "text/plain", b"The token is missing or wrong\n")
        else:
            self._answer(200, CONTENT_TYPE, exposition(DiskSpace(settings)))

    def _health(self) -> None:
        try:
            reasons = self.server.health().reasons
        except Exception as error:
            log.exception("the process can't tell how it is")
            reasons = (f"It can't be told: {error}",)
        body = orjson.dumps({"healthy": not reasons, "reasons": reasons})
        self._answer(503 if reasons else 200, "application/json", body)

    def _answer(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def _listening(settings: Settings, health: Callable[[], Health]) -> _Server:
    try:
        return _Server(settings, health)
    except OSError as error:
        place = f"{settings.host} port {settings.metrics_port}"
        raise Unavailable(f"Can't listen on {place}: {error.strerror} (ANNALS_METRICS_PORT chooses another)") from error
