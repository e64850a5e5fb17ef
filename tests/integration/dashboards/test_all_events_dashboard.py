"""The dashboard *All events* shows every row, and narrows them down."""

from __future__ import annotations

from observability.macros import Chosen

from .conftest import Dashboard, Grafana

DASHBOARD = "all-events"


def rows_in(grafana: Grafana, where: str = "1") -> int:
    ((number,),) = grafana.clickhouse.query(f"SELECT count() FROM cvat.events WHERE {where}").result_rows
    return int(number)


def test_activity(dashboard: Dashboard, grafana: Grafana) -> None:
    rows = dashboard.asked("Activity")
    assert sum(row["rows"] for row in rows) == rows_in(grafana) > grafana.summary.events
    assert {7 <= row["time"].hour <= 17 for row in rows} == {True}


def test_scopes(dashboard: Dashboard, grafana: Grafana) -> None:
    rows = {row["scope"]: row["rows"] for row in dashboard.asked("Scopes")}
    for scope in ("draw:object", "save:job", "load:job", "change:frame"):
        assert rows[scope] == grafana.summary.client_events[scope]
    assert rows["login:user"] == sum(grafana.summary.logins.values())


def test_variables_narrow_it_down(dashboard: Dashboard, grafana: Grafana) -> None:
    assert dashboard.options("source") == ["client", "server"]
    client = dashboard.asked("Activity", source=Chosen(["client"]))
    assert sum(row["rows"] for row in client) == rows_in(grafana, "source = 'client'")
    job = dashboard.options("job", **dashboard.everything())[0]
    scopes = dashboard.options("scope")
    chosen = {"scope": Chosen([scope for scope in scopes if scope.startswith("create:")]), "job": Chosen([job])}
    rows = dashboard.asked("Rows", **chosen)
    assert len(rows) == rows_in(grafana, f"job_id = {job} AND startsWith(scope, 'create:')") > 0


def test_the_last_come_first(dashboard: Dashboard, grafana: Grafana) -> None:
    rows = dashboard.asked("Rows")
    assert len(rows) == 1_000
    assert [row["time"] for row in rows] == sorted((row["time"] for row in rows), reverse=True)
    assert max(row["position"] for row in rows) == grafana.summary.events


def test_browsers_and_systems(dashboard: Dashboard, grafana: Grafana) -> None:
    browsers = {row["browser"]: row["people"] for row in dashboard.asked("Browsers")}
    assert browsers == {name: len(people) for name, people in grafana.summary.browsers.items()}
    systems = {row["system"]: row["people"] for row in dashboard.asked("Operating systems")}
    assert systems == {name: len(people) for name, people in grafana.summary.systems.items()}


def test_durations(dashboard: Dashboard, grafana: Grafana) -> None:
    rows = {row["scope"]: row for row in dashboard.asked("Durations")}
    assert rows["save:job"]["rows"] == grafana.summary.client_events["save:job"]
    assert 80 <= rows["save:job"]["average"] <= rows["save:job"]["95 %"] <= rows["save:job"]["longest"] <= 400
