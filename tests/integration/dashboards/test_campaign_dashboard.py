"""The dashboard *Campaign* shows what happened in a campaign, number for number."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest

from observability.macros import Chosen

from ...campaign import Summary
from .conftest import Dashboard, Grafana

DASHBOARD = "campaign"


@pytest.fixture
def summary(grafana: Grafana) -> Summary:
    return grafana.summary


def test_progress(dashboard: Dashboard, summary: Summary) -> None:
    assert dashboard.value("Accepted") == pytest.approx(summary.jobs["accepted"] / summary.jobs["created"])
    assert dashboard.value("Jobs to go") == summary.jobs["created"] - summary.jobs["accepted"]
    assert dashboard.value("Jobs accepted") == summary.jobs["accepted"]


def test_it_ends_when_the_rest_is_done_at_the_same_rate(dashboard: Dashboard, summary: Summary) -> None:
    finished = datetime.fromtimestamp(dashboard.value("Finished by") / 1000, UTC)
    left = summary.jobs["created"] - summary.jobs["accepted"]
    assert summary.last is not None
    expected = summary.last + timedelta(days=2 * left / summary.jobs["accepted"])
    assert abs(finished - expected) < timedelta(hours=1)


def test_working_time(dashboard: Dashboard, summary: Summary) -> None:
    hours = {name: milliseconds / 3_600_000 for name, milliseconds in summary.working_ms.items()}
    assert dashboard.value("Hours worked") == pytest.approx(sum(hours.values()))
    shown: Counter[str] = Counter()
    rows = dashboard.asked("Working time")
    for row in rows:
        shown[row["user_name"]] += row["hours"]
    assert shown == pytest.approx(hours)
    assert {row["time"].day for row in rows} == {9, 10}
    assert all(0 < row["hours"] < 9 for row in rows)


def test_what_each_person_did(dashboard: Dashboard, summary: Summary) -> None:
    rows = {row["person"]: row for row in dashboard.asked("What each person did")}
    assert rows.keys() == set(summary.people.values()) - {"intern"}
    for name, row in rows.items():
        assert row["hours"] == pytest.approx(summary.working_ms[name] / 3_600_000)
        assert row["jobs annotated"] == summary.jobs_annotated[name]
        assert row["jobs accepted"] == summary.jobs_accepted[name]
        assert row["sent back"] == summary.jobs_rejected[name]
        assert row["objects drawn"] == summary.objects_by_person[name]
        if row["hours"]:
            assert row["objects per hour"] == pytest.approx(row["objects drawn"] / row["hours"])


def test_one_person(dashboard: Dashboard, summary: Summary) -> None:
    name, milliseconds = summary.working_ms.most_common(1)[0]
    (user_id,) = [user_id for user_id, username in summary.people.items() if username == name]
    assert str(user_id) in dashboard.options("user")
    chosen = Chosen([str(user_id)])
    assert dashboard.value("Hours worked", user=chosen) == pytest.approx(milliseconds / 3_600_000)
    assert [row["person"] for row in dashboard.asked("What each person did", user=chosen)] == [name]


def test_projects_and_tasks_narrow_it_down(dashboard: Dashboard, summary: Summary) -> None:
    projects = dashboard.options("project")
    assert len(projects) == 3
    parts = [dashboard.value("Objects", project=Chosen([project])) for project in projects]
    assert sum(parts) == sum(summary.objects_created.values())
    assert min(parts) > 0
    tasks = [dashboard.options("task", project=Chosen([project])) for project in projects]
    assert sum(map(len, tasks)) == len(set().union(*tasks)) == summary.jobs["created"] / 10
    for task in tasks[0]:
        worked = dashboard.value("Hours worked", task=Chosen([task]))
        assert worked == pytest.approx(summary.working_ms_by_task[int(task)] / 3_600_000)


def test_burn_up(dashboard: Dashboard, summary: Summary) -> None:
    rows = dashboard.asked("Jobs so far")
    for reached, last in (("created", "created"), ("accepted", "accepted")):
        line = [row["jobs"] for row in rows if row["reached"] == reached]
        assert line == sorted(line)
        assert line[-1] == summary.jobs[last]
    annotated = [row["jobs"] for row in rows if row["reached"] == "annotated"]
    assert annotated[-1] <= summary.jobs["annotated"]
    assert annotated[-1] >= summary.jobs["accepted"]


def test_throughput(dashboard: Dashboard, summary: Summary) -> None:
    done: Counter[str] = Counter()
    for row in dashboard.asked("Jobs completed"):
        done[row["stage"]] += row["jobs"]
        assert 7 <= row["time"].hour <= 17
    assert done["acceptance"] == summary.jobs["accepted"]
    assert done["annotation"] == pytest.approx(summary.jobs["annotated"], abs=3)  # one that came back in half an hour


def test_where_the_jobs_are(dashboard: Dashboard, summary: Summary) -> None:
    states = {row["at"]: row["jobs"] for row in dashboard.asked("Where the jobs are")}
    assert sum(states.values()) == summary.jobs["created"]
    assert states["acceptance: completed"] == summary.jobs["accepted"]
    tasks = dashboard.asked("Tasks")
    assert sum(row["jobs"] for row in tasks) == summary.jobs["created"]
    assert sum(row["accepted"] for row in tasks) == summary.jobs["accepted"]
    assert all(row["task"].startswith("batch ") for row in tasks)
    assert all(row["to annotate"] + row["to review"] + row["accepted"] == row["jobs"] for row in tasks)


def test_time_in_each_state(dashboard: Dashboard, summary: Summary) -> None:
    rows = {row["at"]: row for row in dashboard.asked("Time in each state")}
    left = rows["annotation: in progress"]
    assert left["times"] == summary.jobs["annotated"]
    assert 60 < left["median"] <= left["95 %"] <= left["longest"]
    assert rows["annotation: rejected"]["times"] <= summary.jobs["rejected"]
    for row in dashboard.asked("From created to accepted"):
        assert 0 < row["median"] <= row["95 %"] < 2 * 86_400


def test_labels(dashboard: Dashboard, summary: Summary) -> None:
    drawn: Counter[str] = Counter()
    for row in dashboard.asked("Objects drawn"):
        drawn[row["label"]] += row["objects"]
    assert drawn == summary.objects_created
    standing = {row["label"]: row["objects"] for row in dashboard.asked("Objects by label")}
    gone = sum(summary.objects_by_kind["deleted"].values())
    assert sum(standing.values()) == sum(summary.objects_created.values()) - gone
    assert standing.keys() == summary.objects_created.keys()
