"""What user interfaces report is safe when it is answered, and what the server tells of itself when it is stopped."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest

from .conftest import Served

REPORTS = 20


def logged(server: Served, kind: str) -> list[dict[str, Any]]:
    with server.http() as http:
        answer = http.get("/api/log", params={"type": kind, "limit": 1_000}).raise_for_status()
    results: list[dict[str, Any]] = answer.json()["results"]
    return [each for each in results if each["type"] == kind]


def report(http: httpx.Client, number: int) -> None:
    now = datetime.now(UTC).isoformat()
    event = {"scope": "draw:object", "timestamp": now, "count": number, "duration": 7, "job_id": 3}
    assert http.post("/api/events", json={"timestamp": now, "events": [event]}).status_code == 201


@pytest.fixture(scope="module")
def start(serve_shared: Callable[..., Served]) -> Callable[[], Served]:
    """Starts the next server of a folder: with two workers, of which each has something to tell."""
    return lambda: serve_shared("--workers", "2").ready()


@pytest.fixture(scope="module")
def after_a_kill(start: Callable[[], Served]) -> Served:
    """The successor of a server that was killed right after it had answered reports."""
    server = start()
    with server.http() as http:
        for number in range(REPORTS):
            report(http, number)
    server.kill()
    return start()


def test_a_report_outlives_a_kill_right_after_its_answer(after_a_kill: Served) -> None:
    found = logged(after_a_kill, "ClientEventsReported")
    counts = [event["count"] for each in found for event in each["body"]["events"]]
    assert sorted(counts) == list(range(REPORTS))


def test_refusals_outlive_a_stop_right_after_their_answer(after_a_kill: Served, start: Callable[[], Served]) -> None:
    server = after_a_kill
    with server.http() as http:
        refused = [http.get(f"/api/tasks/{number}", headers={"Connection": "close"}) for number in range(1, 9)]
    assert {answer.status_code for answer in refused} == {404}
    assert server.stop() == 0
    found = logged(start(), "ServerEventsReported")
    assert sum(event["count"] for each in found for event in each["body"]["events"]) == len(refused)
