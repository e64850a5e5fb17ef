"""`GET /metrics`: what Prometheus is told."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
from cvat_sdk import Client
from prometheus_client.parser import text_string_to_metric_families

from domain.event import SYSTEM, Context
from domain.events.request import RequestQueued
from infra.postgres import verifications

from .conftest import Server
from .shared import head
from .streets import street_of

ANN = ("ann", "correct horse")


def readings(http: httpx.Client) -> dict[tuple[str, ...], float]:
    answer = http.get("/metrics")
    assert answer.status_code == 200
    assert answer.headers["content-type"].startswith("text/plain")
    families = text_string_to_metric_families(answer.text)
    return {(s.name, *s.labels.values()): s.value for family in families for s in family.samples}


def test_the_log_the_queues_and_the_last_verifications_are_told(
    client: Client, http: httpx.Client, server: Server, tmp_path: Path
) -> None:
    street_of(client, tmp_path)
    server.system.database.query("INSERT INTO log.checkpoints (consumer, position) VALUES ('forwarder', 3) RETURNING 1")
    found = readings(http)
    assert found["annals_log_position",] == head(server)
    assert found["annals_follower_lag_events", "forwarder"] == head(server) - 3
    assert found["annals_queue_waiting", "import"] == 0
    assert found["annals_queue_agents", "import"] == 1
    assert not [key for key in found if key[0].startswith("annals_verification")]
    started = datetime.now(UTC) - timedelta(seconds=5)
    database = server.system.database
    verifications.remember(database, started, 7, [{"subject": "a", "difference": None}], quick=False)
    verifications.remember(database, started, 9, [{"subject": "a", "difference": "is wrong"}], quick=True)
    found = readings(http)
    assert found["annals_verification_differences", "whole"] == 0
    assert found["annals_verification_differences", "quick"] == 1
    assert found["annals_verification_position", "quick"] == 9
    assert 5 <= found["annals_verification_duration_seconds", "whole"] < 30


def test_what_waits_without_an_agent_shows(http: httpx.Client, server: Server) -> None:
    queued = RequestQueued("r", "annotation", "export", "task", "", 1, "ann", None, None, None, {})
    server.system.app.record(Context(SYSTEM), [queued])
    found = readings(http)
    assert found["annals_queue_waiting", "annotation"] == 1
    assert found["annals_queue_agents", "annotation"] == 0
    assert found["annals_queue_oldest_seconds", "annotation"] >= 0


def test_only_admins_read_it(server: Server) -> None:
    server.add_user(ANN)
    assert server.http(ANN).get("/metrics").status_code == 403
    assert httpx.get(f"{server.url}/metrics").status_code == 401


def test_the_last_hundred_are_kept(server: Server) -> None:
    database = server.system.database
    for _ in range(verifications.KEEP + 3):
        verifications.remember(database, datetime.now(UTC), 1, [], quick=True)
    rows = database.query("SELECT count(*) AS n FROM log.verifications")
    assert rows == [{"n": verifications.KEEP}]
