"""The dashboard *Operations*: what the log tells of queues, agents and errors; and metrics that the product has."""

from __future__ import annotations

from collections import Counter

from .conftest import Dashboard, Grafana

DASHBOARD = "operations"


def test_how_deep_the_queues_were(dashboard: Dashboard) -> None:
    rows = dashboard.asked("Waiting, as the log has it")
    assert {row["queue"] for row in rows} == {"import", "export"}
    deepest = {queue: max(row["waiting"] for row in rows if row["queue"] == queue) for queue in ("import", "export")}
    assert deepest["import"] >= deepest["export"] >= 1
    assert min(row["waiting"] for row in rows) >= 0


def test_what_agents_did(dashboard: Dashboard, grafana: Grafana) -> None:
    rows = {row["action"]: row for row in dashboard.asked("What agents did")}
    for action, tried_again in (("create", 1), ("export", 0)):
        row = rows[action]
        assert row["requests"] == grafana.summary.requests[action, "queued"]
        assert row["failed"] == grafana.summary.requests[action, "failed"] == 1
        assert row["tried again"] == tried_again
        assert 0 < row["waited (median)"] <= row["waited (95 %)"]
        assert 0.5 < row["worked on (median)"] <= row["worked on (95 %)"] < 120


def test_why_requests_failed(dashboard: Dashboard) -> None:
    rows = dashboard.asked("Failed requests")
    assert {(row["action"], row["person"], row["message"]) for row in rows} == {
        ("create", "manager", "0017.jpg is damaged: it ends after 4 of 12 rows"),
        ("export", "manager", "There is no space left on the device"),
    }


def test_events_recorded(dashboard: Dashboard, grafana: Grafana) -> None:
    recorded: Counter[str] = Counter()
    for row in dashboard.asked("Events recorded"):
        recorded[row["stream"]] += round(row["events"] * grafana.view.interval)
    assert sum(recorded.values()) == grafana.summary.events
    assert recorded["telemetry"] == grafana.summary.types["ClientEventsReported"]


def test_exceptions(dashboard: Dashboard, grafana: Grafana) -> None:
    errors: Counter[str] = Counter()
    for row in dashboard.asked("Exceptions"):
        errors[row["source"]] += row["errors"]
        assert row["people"] <= 7
    assert errors["client"] == grafana.summary.client_events["send:exception"] > 0
    assert errors["server"] == 2
