"""What user interfaces report is safe when it is answered, and what the server tells of itself when it is stopped."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from datetime import UTC, datetime

import httpx
import pytest

from cli.bootstrap import connect
from domain.events.telemetry import ClientEventsReported, ServerEventsReported
from infra.eventlog.reader import LogReader
from infra.postgres.embedded import EmbeddedPostgres

from .conftest import Served

REPORTS = 20
END = 1 << 62


def logged(server: Served, kind: type) -> list[int]:
    """The counts in the events of a type, in the log of a server that has ended."""
    with (
        EmbeddedPostgres(server.data / "postgres").attach_or_start() as url,
        closing(connect(url)) as system,
        system.database.connect() as connection,
    ):
        bodies = [event.body for event in LogReader().stream(connection, 0, END)]
    return [event["count"] for body in bodies if isinstance(body, kind) for event in body.events]


def report(http: httpx.Client, number: int) -> None:
    now = datetime.now(UTC).isoformat()
    event = {"scope": "draw:object", "timestamp": now, "count": number, "duration": 7, "job_id": 3}
    assert http.post("/api/events", json={"timestamp": now, "events": [event]}).status_code == 201


@pytest.fixture
def server(serve: Callable[..., Served]) -> Served:
    """With two workers, of which each has something to tell."""
    return serve("--workers", "2").ready()


def test_a_report_outlives_a_kill_right_after_its_answer(server: Served) -> None:
    with server.http() as http:
        for number in range(REPORTS):
            report(http, number)
    server.kill()
    assert sorted(logged(server, ClientEventsReported)) == list(range(REPORTS))


def test_refusals_outlive_a_stop_right_after_their_answer(server: Served) -> None:
    with server.http() as http:
        refused = [http.get(f"/api/tasks/{number}", headers={"Connection": "close"}) for number in range(1, 9)]
    assert {answer.status_code for answer in refused} == {404}
    assert server.stop() == 0
    assert sum(logged(server, ServerEventsReported)) == len(refused)
