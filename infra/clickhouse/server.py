"""Running the endpoint: the listening socket, the start, and the orderly end."""

from __future__ import annotations

import logging
import os
import socket
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from types import FrameType
from typing import Any, cast

import uvicorn

from domain.errors import Unavailable
from infra.clickhouse.connections import Connections
from infra.clickhouse.endpoint import Endpoint
from infra.clickhouse.engine import Engine
from infra.clickhouse.first_tables import make_first_tables
from infra.clickhouse.layout import Layout
from infra.clickhouse.limits import MIB, Limits
from infra.clickhouse.protocol import EndpointProtocol
from infra.clickhouse.readers_file import Readers
from infra.clickhouse.users import Role, Users
from infra.clickhouse.whole_parts import sweep
from infra.open_files import allow_open_files

_BACKLOG = 128
"""So many connections are accepted at a time at most: few beside `Limits.strangers`, so that each has been looked at
before it can be one of the oldest.
"""


def listen(host: str, port: int, silence: float) -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises Unavailable, naming the address, when it cannot be had."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # with its protocol named, asyncio recognizes it as TCP and switches delays off (TCP_NODELAY)
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "TCP_USER_TIMEOUT"):  # ends connections of clients that stop taking their answer
            listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, int(silence * 1000))
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise Unavailable(f"The ClickHouse endpoint cannot listen on {host}:{port}: {error.strerror}") from error
    return listener


def serve(
    data_dir: Path,
    host: str,
    port: int,
    writer_password: str,
    *,
    readers: Path | None = None,
    anonymous: bool = True,
    limits: Limits | None = None,
    layout: Layout | None = None,
    on_ready: Callable[[int], None] = lambda _: None,
) -> None:
    """Runs the endpoint on `data_dir` until SIGTERM or SIGINT; then ends running queries and closes the data.

    `readers` is the file of the readers with passwords (readers_file.py); with `anonymous`, anybody else reads, too.
    `layout`: of the tables that an engine without any gets before requests are answered; None leaves it empty.
    It needs a process of its own: the engine is one per process, and the time zone becomes UTC. `on_ready` is called
    with the port as soon as requests are answered. Raises Unavailable when the address or the folder is in use.
    """
    if not writer_password:
        raise ValueError("The writer needs a password")
    limits = limits or Limits()
    listener = listen(host, port, limits.silence)
    _prepare_process()
    engine = Engine(data_dir, limits)
    try:
        with engine.connect() as connection:
            sweep(connection)
            if layout is not None:
                make_first_tables(connection, layout)
        users = Users(writer_password, Readers(readers), anonymous)
        reading = ThreadPoolExecutor(limits.concurrency, thread_name_prefix="read")
        writing = ThreadPoolExecutor(limits.writer_concurrency, thread_name_prefix="write")
        with reading, writing:
            app = Endpoint(engine, {Role.READER: reading, Role.WRITER: writing}, users, limits)
            _Server(_config(app, limits), on_ready).run([listener])
            app.end()
    finally:
        engine.close()


def _prepare_process() -> None:
    os.environ["TZ"] = "UTC"
    time.tzset()
    allow_open_files()


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, on_ready: Callable[[int], None]) -> None:
        super().__init__(config)
        self._on_ready = on_ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        for listener in sockets or ():
            self._on_ready(listener.getsockname()[1])

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002
        """uvicorn's own would raise the signal once more at the end, before the data is closed."""
        self.should_exit = True


def _config(app: Any, limits: Limits) -> uvicorn.Config:
    # Its messages are about clients that break off; the endpoint logs its own errors.
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    return uvicorn.Config(
        app,
        http=cast(Any, partial(EndpointProtocol, Connections(limits), limits.head_seconds)),
        backlog=_BACKLOG,
        loop="asyncio",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=limits.keep_alive,
        timeout_graceful_shutdown=int(limits.shutdown),
        h11_max_incomplete_event_size=MIB,  # URL and headers, as ClickHouse's http_max_uri_size
    )
