"""The dashboard *Audit* tells who did what."""

from __future__ import annotations

import pytest

from observability.macros import Chosen
from observability.sources import queries

from ...campaign import Summary
from .conftest import Dashboard, Grafana

DASHBOARD = "audit"


@pytest.fixture
def summary(grafana: Grafana) -> Summary:
    return grafana.summary


def test_how_much_was_done(dashboard: Dashboard, summary: Summary) -> None:
    assert dashboard.value("People") == len(summary.people) - 1  # the intern never did anything
    assert dashboard.value("Logins") == sum(summary.logins.values())
    assert dashboard.value("Token uses") == summary.types["AccessTokenUsed"] == 2
    assert dashboard.value("Restored") == sum(summary.restored.values())
    jobs_of_a_task, issue_of_a_job, its_comment, revoked_token = 10, 1, 1, 1
    went_along = jobs_of_a_task + issue_of_a_job + its_comment
    assert dashboard.value("Deleted") == sum(summary.deleted.values()) + went_along + revoked_token


def test_who_did_what(dashboard: Dashboard, summary: Summary) -> None:
    rows = {row["person"]: row for row in dashboard.asked("Who did what")}
    for name, row in rows.items():
        assert row["logins"] == summary.logins[name]
        assert row["restored"] == (2 if name == "manager" else 0)
    assert rows["manager"]["exports"] == summary.requests["export", "queued"]
    assert rows["manager"]["deleted"] >= 4
    activity = dashboard.asked("What people did")
    assert sum(row["changes"] for row in activity if row["verb"] == "login") == sum(summary.logins.values())
    assert {"create", "update", "delete", "restore", "export"} <= {row["verb"] for row in activity}


def test_deletions(dashboard: Dashboard, summary: Summary) -> None:
    rows = dashboard.asked("What was deleted", user=Chosen([manager_of(summary)]))
    tasks = [(row["name"], row["person"]) for row in rows if row["what"] == "task"]
    assert sorted(name.split()[0] for name, _ in tasks) == ["batch", "trial"]
    assert {person for _, person in tasks} == {"manager"}
    assert sum(row["what"] == "job" for row in rows) == 10
    assert [row["name"] for row in rows if row["what"] == "user"] == ["intern"]


def test_what_was_drawn_and_deleted(dashboard: Dashboard, summary: Summary) -> None:
    rows = dashboard.asked("What was deleted")
    drawn = [row["objects"] for row in rows if row["what"] in ("shapes", "tracks", "tags")]
    assert sum(drawn) == sum(summary.objects_by_kind["deleted"].values())


def test_restores(dashboard: Dashboard) -> None:
    rows = dashboard.asked("What came back")
    assert {row["what"] for row in rows} == {"task", "job", "issue", "comment", "annotations"}
    assert {row["person"] for row in rows} == {"manager"}
    (task,) = [row for row in rows if row["what"] == "task"]
    assert task["name"].startswith("batch ")
    assert sum(row["what"] == "job" for row in rows) == 10


def test_logins(dashboard: Dashboard, summary: Summary) -> None:
    rows = {row["person"]: row for row in dashboard.asked("Sign-ins")}
    assert {name: row["logins"] for name, row in rows.items()} == summary.logins
    assert all(row["addresses"].startswith("10.0.0.") for row in rows.values())


def test_access_tokens(dashboard: Dashboard) -> None:
    rows = dashboard.asked("Access tokens")
    assert [row["what"] for row in reversed(rows)] == ["made", "used", "used", "revoked"]
    assert {row["token"] for row in rows} == {1}
    assert rows[0]["name"] == rows[-1]["name"] == "nightly export"


def test_accounts(dashboard: Dashboard, summary: Summary) -> None:
    rows = dashboard.asked("Accounts")
    assert {row["account"] for row in rows if row["what"] == "create"} == set(summary.people.values())
    (role,) = [row for row in rows if row["what"] == "update"]
    assert (role["account"], role["field"], role["before"], role["after"]) == ("intern", "groups", "user", "worker")
    assert [row["account"] for row in rows if row["what"] == "delete"] == ["intern"]


def test_everything(dashboard: Dashboard, summary: Summary) -> None:
    rows = dashboard.asked("Everything that people did", user=Chosen([manager_of(summary)]))
    assert {row["person"] for row in rows} == {"manager"}
    assert {"delete:accesstoken", "restore:task", "delete:user", "create:project"} <= {row["scope"] for row in rows}
    assert [row["time"] for row in rows] == sorted((row["time"] for row in rows), reverse=True)
    assert len(dashboard.asked("Everything that people did")) == 1_000


@pytest.mark.parametrize("name", sorted(queries(DASHBOARD)))
def test_what_a_client_says_of_itself_is_no_proof(grafana: Grafana, name: str) -> None:
    by_clients = "FROM (SELECT * REPLACE ('client' AS source) FROM events)"
    query = queries(DASHBOARD)[name]
    assert "FROM events" in query
    chosen = {"user": Chosen(["0"])}
    forged = query.replace("FROM events", by_clients)
    assert any(value for row in grafana.ask(query, **chosen) for value in row.values())
    assert not any(value for row in grafana.ask(forged, **chosen) for value in row.values())


@pytest.mark.parametrize("name", ["people", "changes", "activity", "who", "everything"])
@pytest.mark.parametrize("event_type", ["ClientEventsReported", "ServerEventsReported", "RequestFailed"])
def test_what_servers_and_agents_report_is_nothing_that_people_did(
    grafana: Grafana, name: str, event_type: str
) -> None:
    by_them = f"FROM (SELECT * REPLACE ('{event_type}' AS event_type) FROM events)"
    told = grafana.ask(queries(DASHBOARD)[name].replace("FROM events", by_them), user=Chosen(["0"]))
    assert not any(value for row in told for value in row.values())


def test_whose_password_was_changed(grafana: Grafana) -> None:
    as_password = "FROM (SELECT * REPLACE (if(obj_name = 'groups', 'password', obj_name) AS obj_name) FROM events)"
    told = grafana.ask(queries(DASHBOARD)["accounts"].replace("FROM events", as_password, 1), user=Chosen(["0"]))
    assert [row["account"] for row in told if row["field"] == "password"] == ["intern"]


def manager_of(summary: Summary) -> str:
    return str(next(user_id for user_id, name in summary.people.items() if name == "manager"))
