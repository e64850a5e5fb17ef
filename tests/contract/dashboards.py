"""A server with a labelling campaign behind it, all of which has reached ClickHouse."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from cli.bootstrap import System, connect
from domain.event import SYSTEM, Context, Event
from domain.events.request import RequestQueued, RequestStarted
from infra.clickhouse import schema
from infra.clickhouse.client import connect as connect_clickhouse
from infra.clickhouse.process import EndpointProcess
from infra.clickhouse.reader import ClickHouseReader
from infra.eventlog.reader import LogReader
from infra.settings import Settings

from ..campaign import Summary, simulate
from ..integration.analytics.steps import PASSWORD, insert, url_of
from ..integration.databases import new_database
from .conftest import ADMIN, Server

WAITED = 90
"""Seconds that a request had waited; another one still waits."""
EXPORTS = [f"action=export&target=project&target_id={n}&subresource=dataset" for n in (1, 2)]


@dataclass(frozen=True)
class Site:
    """`events`: the log; `summary`: what it amounts to; `end`: after everything in it."""

    server: Server
    events: list[Event]
    summary: Summary
    end: datetime

    def chart(self, name: str, **parameters: Any) -> Any:
        """As the administrator sees it."""
        answer = self.server.http().get(f"/api/dashboard/charts/{name}", params=parameters)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ask(self, name: str, credentials: tuple[str, str] | None = ADMIN, **parameters: Any) -> httpx.Response:
        path = f"{self.server.url}/api/dashboard/charts/{name}"
        return httpx.get(path, params=parameters, auth=credentials, timeout=60)


@pytest.fixture(scope="module")
def site(postgres: str) -> Iterator[Site]:
    with (
        new_database(postgres) as url,
        tempfile.TemporaryDirectory(prefix="annals-test-") as folder,
        EndpointProcess(Path(folder) / "clickhouse", PASSWORD) as endpoint,
    ):
        with closing(connect(url)) as system:
            summary = simulate(system, people=6, days=2, events=2_500, seed=5)
            end = _requests(system, summary)
            with system.database.connect() as connection:
                events = list(LogReader().stream(connection, 0, 2**62))
        with closing(connect_clickhouse(url_of(endpoint))) as writer:
            schema.migrate(writer)
            insert(writer, events)
        with _serving(url, Path(folder) / "data", f"http://{endpoint.host}:{endpoint.port}") as server:
            yield Site(server, events, summary, end)


def _requests(system: System, summary: Summary) -> datetime:
    """Two are asked for an hour after the campaign; one is taken up. Returns when all is over."""
    assert summary.last is not None
    asked = summary.last + timedelta(hours=1)
    system.app.clock = lambda: asked
    for request_id in EXPORTS:
        body = RequestQueued(request_id, "export", "export", "project", "dataset", 1, "manager", 1, None, None, {})
        system.app.record(Context(SYSTEM), [body])
    system.app.clock = lambda: asked + timedelta(seconds=WAITED)
    system.app.record(Context(SYSTEM), [RequestStarted(EXPORTS[0], "an agent", 1)])
    return asked + timedelta(hours=1)


@contextmanager
def _serving(url: str, data: Path, clickhouse: str) -> Iterator[Server]:
    server = Server(url, Settings(data=data, server_telemetry="off")).start(agents=0)
    server.services.clickhouse = ClickHouseReader(clickhouse)
    try:
        server.add_user(ADMIN, is_admin=True)
        yield server
    finally:
        server.stop()
