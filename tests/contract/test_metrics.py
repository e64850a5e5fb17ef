"""`GET /metrics`: what Prometheus is told."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import pytest
from cvat_sdk import Client
from prometheus_client.parser import text_string_to_metric_families

from domain.event import SYSTEM, Context
from domain.events.request import RequestQueued
from infra.postgres import verifications

from ..waiting import wait_until
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
    started = datetime.now(UTC) - timedelta(hours=1)
    database = server.system.database
    verifications.remember(database, started, 7, [{"subject": "a", "difference": None}], scope="whole")
    verifications.remember(database, started, 9, [{"subject": "a", "difference": "is wrong"}], scope="quick")
    silent = {"subject": "a", "difference": None, "unknown": "does not answer"}
    verifications.remember(database, started, 9, [silent], scope="clickhouse")
    found = readings(http)
    assert found["annals_verification_differences", "whole"] == 0
    assert found["annals_verification_differences", "quick"] == 1
    assert found["annals_verification_unknown", "quick"] == 0
    assert found["annals_verification_differences", "clickhouse"] == 0
    assert found["annals_verification_unknown", "clickhouse"] == 1
    assert found["annals_verification_position", "quick"] == 9
    assert 3_600 <= found["annals_verification_duration_seconds", "whole"] < 7_200


def counted(http: httpx.Client, method: str, route: str, status: int) -> float:
    return readings(http).get(("annals_http_requests_total", method, route, str(status)), 0)


@pytest.mark.parametrize(
    ("method", "path", "route", "status"),
    [
        ("GET", "/api/users/self", "/api/users/self", 200),
        ("GET", "/api/tasks/4711", "/api/tasks/{task_id}", 404),
        ("GET", f"/api/tasks/{'9' * 60}", "/api/tasks/{task_id}", 404),
        ("PATCH", "/api/tasks/4711", "/api/tasks/{task_id}", 404),
        ("GET", "/api/requests/unheard-of", "/api/requests/{request_id}", 404),
        ("POST", "/api/projects", "/api/projects", 400),
        ("GET", "/api/no-such-thing", "other", 404),
        ("GET", "/static/logo.svg", "other", 200),
        ("TRACE", "/api/tasks", "/api/tasks", 405),
    ],
)
def test_requests_are_counted_by_their_route(
    http: httpx.Client, method: str, path: str, route: str, status: int
) -> None:
    named = method if method != "TRACE" else "other"
    before = counted(http, named, route, status)
    for _ in range(3):
        assert http.request(method, path, json={}).status_code == status
    # A file is closed behind its last byte, and then counted.
    wait_until(lambda: counted(http, named, route, status) >= before + 3)
    assert counted(http, named, route, status) == before + 3


def test_an_answer_that_is_given_again_counts_as_one(http: httpx.Client) -> None:
    routes = ("/api/projects", "other")  # who gives it again needs no route
    before = [counted(http, "POST", route, 201) for route in routes]
    asked = {"json": {"name": "p"}, "headers": {"Idempotency-Key": "once"}}
    assert [http.post("/api/projects", **asked).status_code for _ in range(2)] == [201, 201]  # type: ignore[arg-type]
    assert [counted(http, "POST", route, 201) for route in routes] == [number + 1 for number in before]


def test_durations_are_counted_by_their_length(http: httpx.Client) -> None:
    labels = "GET", "/api/server/about"
    name = "annals_http_request_duration_seconds"
    before = readings(http)
    for _ in range(5):
        http.get("/api/server/about")
    after = readings(http)
    assert after[f"{name}_count", *labels] == before[f"{name}_count", *labels] + 5
    assert after[f"{name}_bucket", "60.0", *labels] == after[f"{name}_count", *labels]
    assert after[f"{name}_sum", *labels] > before[f"{name}_sum", *labels]


def test_reads_of_the_chunk_cache_are_hits_and_misses(
    client: Client, http: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infra.media.cache._MEASURING", 0)  # however long it has taken
    task = street_of(client, tmp_path).task
    before = readings(http)
    asked = {"type": "chunk", "number": 0, "quality": "compressed"}
    sizes = [len(http.get(f"/api/tasks/{task.id}/data", params=asked).content) for _ in range(4)]
    after = readings(http)
    reads = [
        after["annals_chunk_cache_reads_total", how] - before["annals_chunk_cache_reads_total", how]
        for how in ("miss", "hit")
    ]
    assert reads == [1, 3]
    assert after["annals_chunk_cache_bytes",] - before["annals_chunk_cache_bytes",] == sizes[0]


def test_room_on_the_disks_is_told_by_folder(http: httpx.Client, server: Server) -> None:
    free = {key[1]: value for key, value in readings(http).items() if key[0] == "annals_disk_free_bytes"}
    assert {"data", "blobs", "cache"} <= free.keys()
    assert free["data"] == pytest.approx(shutil.disk_usage(server.settings.data).free, rel=0.1)


def test_followers_lag_by_seconds_and_dead_letters(http: httpx.Client, server: Server) -> None:
    query = server.system.database.query
    query("INSERT INTO log.checkpoints (consumer, position) VALUES ('here', 1), ('here:sent', 9) RETURNING 1")
    for follower in ("here", "gone"):
        query(f"INSERT INTO log.dead_letters VALUES ('{follower}', '7', 7, 'insert', 'no') RETURNING 1")
    position = head(server) - 1
    query("UPDATE log.checkpoints SET position = %(at)s WHERE consumer = 'here' RETURNING 1", {"at": position})
    written = query(
        "SELECT extract(epoch FROM now() - time)::float AS age FROM log.events WHERE position = %(at)s",
        {"at": head(server)},
    )
    found = readings(http)
    assert found["annals_follower_lag_events", "here"] == 1
    assert written[0]["age"] <= found["annals_follower_lag_seconds", "here"] < written[0]["age"] + 600
    assert (found["annals_dead_letters", "here"], found["annals_dead_letters", "gone"]) == (1, 1)
    query("UPDATE log.checkpoints SET position = %(at)s WHERE consumer = 'here' RETURNING 1", {"at": head(server)})
    query("DELETE FROM log.dead_letters WHERE follower = 'here' RETURNING 1")
    found = readings(http)
    assert (found["annals_follower_lag_seconds", "here"], found["annals_dead_letters", "here"]) == (0, 0)


def test_what_waits_without_an_agent_shows(http: httpx.Client, server: Server) -> None:
    queued = RequestQueued("r", "annotation", "export", "task", "", 1, "ann", None, None, None, {})
    server.system.app.record(Context(SYSTEM), [queued])
    found = readings(http)
    assert found["annals_queue_waiting", "annotation"] == 1
    assert found["annals_queue_agents", "annotation"] == 0
    assert found["annals_queue_oldest_seconds", "annotation"] >= 0


def test_only_admins_read_it_and_who_has_the_token(server: Server) -> None:
    server.add_user(ANN)
    assert server.http(ANN).get("/metrics").status_code == 403
    assert httpx.get(f"{server.url}/metrics").status_code == 401
    asked = {"url": f"{server.url}/metrics", "headers": {"Authorization": "Bearer scrape"}}
    assert httpx.get(**asked).status_code == 401  # type: ignore[arg-type]
    server.settings.metrics_token = "scrape"
    assert httpx.get(**asked).status_code == 200  # type: ignore[arg-type]
    assert httpx.get(f"{server.url}/api/users", headers=asked["headers"]).status_code == 401  # type: ignore[arg-type]
    assert httpx.get(f"{server.url}/metrics", headers={"Authorization": "Bearer scrap"}).status_code == 401


def test_the_last_hundred_are_kept(server: Server) -> None:
    database = server.system.database
    for _ in range(verifications.KEEP + 3):
        verifications.remember(database, datetime.now(UTC), 1, [], scope="quick")
    rows = database.query("SELECT count(*) AS n FROM log.verifications")
    assert rows == [{"n": verifications.KEEP}]
