"""Dashboards made for CVAT find what they look for."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest

from observability.macros import Chosen
from projections.named_queries import named

from ...campaign import Summary
from .conftest import Dashboard, Grafana, Rows, read

CVAT = Path(__file__).parent / "cvat"


@pytest.fixture
def all_events(grafana: Grafana) -> Dashboard:
    return Dashboard(grafana, read(CVAT / "all_events.json"))


@pytest.fixture
def summary(grafana: Grafana) -> Summary:
    return grafana.summary


def total(grafana: Grafana, where: str = "1") -> int:
    ((number,),) = grafana.clickhouse.query(f"SELECT count() FROM cvat.events WHERE {where}").result_rows
    return int(number)


def test_the_variables_of_all_events(all_events: Dashboard, summary: Summary) -> None:
    chosen = all_events.everything()
    assert "create:shapes" in chosen["scopes"].values
    assert set(chosen["sources"].values) == {"client", "server"}
    assert {int(user) for user in all_events.options("users")} == set(summary.people) - {intern(summary)}
    assert set(all_events.options("usernames")) == set(summary.people.values()) - {"intern"} | {"None"}
    assert len(all_events.options("projects")) == 3
    assert len(all_events.options("jobs")) == summary.jobs["created"]
    assert all_events.options("organizations") == []


def test_the_panels_of_all_events(all_events: Dashboard, grafana: Grafana, summary: Summary) -> None:
    assert sum(row["count()"] for row in all_events.asked("Overall Activity")) == total(grafana)
    assert len(all_events.asked("All events")) == 1_000
    browsers = {row["browser"]: row["count()"] for row in all_events.asked("Browser")}
    assert browsers == {name: len(people) for name, people in summary.browsers.items()}
    systems = {row["os"]: row["count()"] for row in all_events.asked("OS")}
    assert systems == {name: len(people) for name, people in summary.systems.items()}


def test_the_variables_narrow_all_events_down(all_events: Dashboard, grafana: Grafana, summary: Summary) -> None:
    users = all_events.options("users")[:2]
    activity = all_events.asked("Overall Activity", users=Chosen(users))
    assert sum(row["count()"] for row in activity) == total(grafana, f"user_id IN ({','.join(users)})")
    rows = all_events.asked("All events", usernames=Chosen(["ben"]), scopes=Chosen(["login:user"]))
    assert len(rows) == summary.logins["ben"]


def asked(grafana: Grafana, file: str, query: str, **chosen: Chosen) -> Rows:
    names = ("users", "projects", "tasks", "jobs", "organizations")
    everything = {name: Chosen(everything=True, all_value="-1") for name in names}
    columns = {"scopes": "scope", "sources": "source"}
    for name, column in columns.items():
        values = grafana.clickhouse.query(f"SELECT DISTINCT {column} FROM cvat.events").result_rows
        everything[name] = Chosen([value for (value,) in values], everything=True)
    return grafana.ask(named((CVAT / f"{file}.sql").read_text())[query], **{**everything, **chosen})


def test_management(grafana: Grafana, summary: Summary) -> None:
    activity = asked(grafana, "management", "user_activity")
    assert sum(row["events"] for row in activity) == total(grafana, "user_id IS NOT NULL")
    overall = asked(grafana, "management", "overall_activity")
    assert sum(row["events"] for row in overall) == total(grafana)
    assert len({row["time"] for row in overall}) == len(overall)
    hours: Counter[str] = Counter()
    for row in asked(grafana, "management", "working_time"):
        hours[row["user_name"]] += row["hours"] * 3_600_000
    assert hours == pytest.approx(summary.working_ms)


def test_monitoring(grafana: Grafana, summary: Summary) -> None:
    assert asked(grafana, "monitoring", "active_now") == [{"people": 0}]  # an hour after everybody left
    active = asked(grafana, "monitoring", "active")
    assert max(row["people"] for row in active) >= 8
    assert sum(row["people"] > 0 for row in active) < len(active)  # at night nobody was there
    durations = {row["scope"]: row for row in asked(grafana, "monitoring", "durations")}
    assert 80 <= durations["save:job"]["shortest"] <= durations["save:job"]["average"] <= 400
    of_clients = asked(grafana, "monitoring", "numbers", sources=Chosen(["client"]))
    numbers = {row["scope"]: row["events"] for row in of_clients}
    assert numbers["save:job"] == summary.client_events["save:job"]
    assert "create:job" not in numbers


def test_exceptions(grafana: Grafana, summary: Summary) -> None:
    client = summary.client_events["send:exception"]
    by_source: Counter[str] = Counter()
    for row in asked(grafana, "monitoring", "exceptions"):
        by_source[row["source"]] += row["exceptions"]
    assert by_source == {"client": client, "server": 2}
    messages = {row["message"] for row in asked(grafana, "monitoring", "exceptions_table")}
    assert "There is no space left on the device" in messages
    source = asked(grafana, "exceptions", "source")
    (everything,) = [row for row in source if row["set"] == 0b111]
    assert everything["errors"] == everything["now"] == client + 2
    categories = {row["category"]: row["errors"] for row in source if row["set"] == 0b011}
    assert categories["Storage"] == 2
    assert sum(categories.values()) == client + 2
    drilldown = asked(grafana, "exceptions", "drilldown")
    assert sum(row["errors"] for row in drilldown) == client + 2


def test_the_chunk_cache(grafana: Grafana) -> None:
    """The queries run; a simulated campaign fetches no images."""
    assert asked(grafana, "monitoring", "cache_written") == asked(grafana, "monitoring", "cache_read") == []


def intern(summary: Summary) -> int:
    return next(user_id for user_id, name in summary.people.items() if name == "intern")
