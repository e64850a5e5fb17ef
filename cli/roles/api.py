"""A process that serves the API."""

from __future__ import annotations

import signal
import socket
import sys
from collections.abc import Callable
from contextlib import closing
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

from api.app import create_app
from api.read_only import ReadOnly
from api.services import Services
from cli.bootstrap import System, connect
from cli.clickhouse_address import reader_url
from cli.forward.followers import wanted_followers
from cli.keeping import ProjectionKeeper
from cli.roles.collector import calm_collector
from cli.serving.listening import BACKLOG, listen
from infra.blobs import BlobStore, open_blobs
from infra.clickhouse.reader import ClickHouseReader
from infra.media.cache import ChunkCache
from infra.open_files import allow_open_files
from infra.settings import Settings
from projections.copies import Copy

MAX_CONNECTIONS = 64
"""To PostgreSQL, from all API processes of a server together."""
FINISH_SECONDS = 10
"""How long requests that are being answered may take when the server stops."""


def run(settings: Settings, database_url: Callable[[], str], descriptor: int | None) -> None:
    """Until SIGTERM. `descriptor`: of an inherited socket; None: it listens on the host and port of the settings, which
    it shares when there are several workers.
    """
    if descriptor is None:
        listener = listen(settings.host, settings.port, shared=settings.workers > 1)
    else:
        listener = socket.socket(fileno=descriptor)
    blobs = open_blobs(settings)
    chunks = ChunkCache(settings.cache, settings.chunk_cache_bytes)
    system = connect(database_url(), connections(settings))
    try:
        services = _services(settings, system, blobs, chunks)
        app = create_app(services)
        with ProjectionKeeper(system):
            _answer(app, services, listener)
    finally:
        system.close()


def run_copy(settings: Settings, database_url: str, copy: Copy, listener: socket.socket) -> None:
    """Serves what a copy holds, to be read only, until SIGTERM or Ctrl-C. Who may ask is looked up in the present."""
    blobs = open_blobs(settings)
    chunks = ChunkCache(settings.cache, settings.chunk_cache_bytes)
    with (
        closing(connect(database_url, 2)) as present,
        ProjectionKeeper(present),
        closing(connect(database_url, connections(settings), copy=copy.name)) as past,
    ):
        services = Services(settings, past.database, past.app, blobs, chunks, accounts=present.database)
        app = ReadOnly(create_app(services), copy.position, copy.time)
        signal.signal(signal.SIGINT, lambda *_: sys.exit(0))
        _answer(app, services, listener)


def _answer(app: ASGIApp, services: Services, listener: socket.socket) -> None:
    calm_collector()
    allow_open_files()  # nothing else bounds connections
    # uvicorn repeats a signal when it is done; by then that has been obeyed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    _Server(_config(app), services.log_streams.stop).run(sockets=[listener])


class _Server(uvicorn.Server):
    """`on_exit` ends what would go on for ever, as soon as a stop is asked for."""

    def __init__(self, config: uvicorn.Config, on_exit: Callable[[], object]) -> None:
        super().__init__(config)
        self._on_exit = on_exit

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._on_exit()
        super().handle_exit(sig, frame)


def connections(settings: Settings) -> int:
    """The most database connections of one API process."""
    return max(4, min(settings.threads, MAX_CONNECTIONS // settings.workers))


def _services(settings: Settings, system: System, blobs: BlobStore, chunks: ChunkCache) -> Services:
    reader = ClickHouseReader(reader_url(settings))
    wanted = wanted_followers(settings)
    return Services(settings, system.database, system.app, blobs, chunks, clickhouse=reader, followers=wanted)


def _config(app: object) -> uvicorn.Config:
    return uvicorn.Config(
        app,  # type: ignore[arg-type]
        http="httptools",
        loop="uvloop",
        ws="none",
        lifespan="on",
        backlog=BACKLOG,
        access_log=False,
        log_config=None,
        proxy_headers=False,  # which proxies are believed is a setting of ours
        server_header=False,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=FINISH_SECONDS,
    )
