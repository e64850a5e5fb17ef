"""A running server, and clients of it. The server is an API and an agent on a fresh database and data folder."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest
import uvicorn
from argon2 import PasswordHasher
from cvat_sdk import Client, make_client

from api.app import create_app
from api.services import Services
from cli.bootstrap import System, connect
from cli.rebuilding import replay
from consumers.agent import Agent
from domain.event import SYSTEM, Context
from infra.blobs import open_blobs
from infra.eventlog.reader import LogReader
from infra.media.cache import ChunkCache
from infra.passwords import Argon2Passwords
from infra.settings import Settings
from projections.registry import REGISTRY
from projections.verify import verify

from .checked import Checked

ADMIN = ("admin", "correct horse")
QUICK = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""Each of some hundred servers here gets a password; what a real one costs is no secret."""


class Server:
    """The parts of one server in this process. It can be stopped and started again, on the same data."""

    def __init__(self, database_url: str, settings: Settings) -> None:
        self.settings = settings
        self._database_url = database_url
        self._running = ExitStack()
        self.url = ""
        self.problems: list[str] = []
        self.doctored = False
        """Whether the test has written to the tables by hand, so that there is nothing to verify."""

    def start(self, *, agents: int = 1) -> Server:
        self.system = self._closing(connect(self._database_url))
        self.system.app.passwords = Argon2Passwords(QUICK)
        blobs = open_blobs(self.settings)
        chunks = ChunkCache(self.settings.cache, self.settings.chunk_cache_bytes)
        self.services = Services(self.settings, self.system.database, self.system.app, blobs, chunks)
        for _ in range(agents):
            self.start_agent()
        self._start_api()
        return self

    def stop(self) -> None:
        """Raises AssertionError when it has answered otherwise than CVAT's description of its API says."""
        self._running.close()
        assert not self.problems, "\n".join(self.problems)

    def verify(self) -> None:
        """That a fresh fold of the log gives what stands in the tables, and every blob is there, as `annals verify`
        does it.
        """
        if self.doctored:
            return
        with self.system.database.connect() as connection:
            report = verify(connection, LogReader(), list(REGISTRY.values()), self.services.blobs)
        assert [f"{found.subject}: {found.difference}" for found in report.findings if not found.equal] == []

    def replay(self) -> None:
        """All projections anew, beside the running server, as `annals replay` does it; and they are as they were."""
        replay(self._database_url, list(REGISTRY.values()))
        self.verify()

    def start_agent(self, settings: Settings | None = None, *, clickhouse: str | None = None) -> None:
        """`settings`: of another machine; `clickhouse`: the URL of one that it can ask."""
        settings = settings or self.settings
        system, stop = self._closing(connect(self._database_url, 4)), threading.Event()
        agent = Agent(settings, system.database, system.app, open_blobs(settings), clickhouse=clickhouse)
        thread = threading.Thread(target=agent.run, args=(stop,), name="test-agent")
        thread.start()
        self._running.callback(thread.join)
        self._running.callback(stop.set)

    def http(self, credentials: tuple[str, str] = ADMIN) -> httpx.Client:
        """A plain HTTP client with these credentials."""
        return self._running.enter_context(httpx.Client(base_url=self.url, auth=credentials, timeout=60))

    def sdk(self, credentials: tuple[str, str] = ADMIN) -> Client:
        """CVAT's own client, unmodified."""
        return self._running.enter_context(make_client(self.url, credentials=credentials))

    def add_user(self, credentials: tuple[str, str], *, is_admin: bool = False) -> int:
        name, password = credentials
        return self.system.app.users.register(Context(SYSTEM), name, password, is_admin=is_admin)

    def _start_api(self) -> None:
        listener = socket.create_server(("127.0.0.1", 0))
        self.port = listener.getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        app = Checked(create_app(self.services), self.problems)
        config = uvicorn.Config(
            app,
            loop="uvloop",
            log_config=None,
            access_log=False,
            proxy_headers=False,
            timeout_graceful_shutdown=2,
        )
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, args=([listener],), name="test-api")
        thread.start()
        self._running.callback(listener.close)
        self._running.callback(thread.join)
        self._running.callback(setattr, server, "should_exit", True)
        httpx.get(f"{self.url}/api/server/about", timeout=60).raise_for_status()

    def _closing(self, system: System) -> System:
        self._running.callback(system.close)
        return system


@pytest.fixture
def settings(data_folder: Path) -> Settings:
    """Of a server; a test module that needs others defines a fixture of this name. Its log holds what the test does,
    and not also what the server tells of itself meanwhile. Who asks for a request learns of its end also where that is
    long in coming.
    """
    return Settings(data=data_folder, server_telemetry="off", request_hold_seconds=50)


@pytest.fixture
def server(database_url: str, settings: Settings) -> Iterator[Server]:
    """Running, with one user: the administrator."""
    server = Server(database_url, settings).start()
    try:
        server.add_user(ADMIN, is_admin=True)
        yield server
        server.verify()
    finally:
        server.stop()


@pytest.fixture
def client(server: Server) -> Client:
    """CVAT's own client, logged in as the administrator."""
    return server.sdk()


@pytest.fixture
def http(server: Server) -> httpx.Client:
    """A plain HTTP client, with the administrator's credentials."""
    return server.http()
