"""What the dashboard's charts show."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from domain.event import Event
from domain.events.annotations import AnnotationsChanged, AnnotationsRestored

from .dashboards import WAITED, Site, site
from .shared import head

__all__ = ["site"]


def stamp(time: datetime) -> str:
    return time.isoformat()


def totals(chart: Any) -> Counter[str]:
    """Of each line."""
    found: Counter[str] = Counter()
    for row in chart["rows"]:
        found.update(dict(zip(chart["columns"][1:], row[1:], strict=True)))
    return found


def latest(chart: Any) -> dict[str, int]:
    return dict(zip(chart["columns"][1:], chart["rows"][-1][1:], strict=True))


def records(chart: Any) -> list[dict[str, Any]]:
    return [dict(zip(chart["columns"], row, strict=True)) for row in chart["rows"]]


def drawn(events: list[Event]) -> int:
    """Objects that these created."""
    bodies = [event.body for event in events if isinstance(event.body, AnnotationsChanged | AnnotationsRestored)]
    return sum(len(items) for body in bodies for items in body.created.values())


def counted(site: Site, statement: str) -> list[dict[str, Any]]:
    return site.server.system.database.query(statement)


class TestCampaign:
    def test_progress_ends_where_the_jobs_are(self, site: Site) -> None:
        (wanted,) = counted(
            site,
            "SELECT count(*) AS jobs,"
            " count(*) FILTER (WHERE state = 'completed' OR stage <> 'annotation') AS annotated,"
            " count(*) FILTER (WHERE state = 'completed' AND stage = 'acceptance') AS accepted FROM jobs",
        )
        assert latest(site.chart("progress", to=stamp(site.end))) == wanted

    def test_what_was_before_the_chosen_time_counts_for_progress(self, site: Site) -> None:
        whole = site.chart("progress", to=stamp(site.end))
        late = site.chart("progress", **{"from": stamp(site.end - timedelta(minutes=30)), "to": stamp(site.end)})
        assert latest(late) == latest(whole)
        assert late["rows"][0][1:] == whole["rows"][-1][1:]

    def test_stages(self, site: Site) -> None:
        wanted = counted(site, "SELECT stage, state, count(*) AS jobs FROM jobs GROUP BY stage, state")
        found = records(site.chart("stages"))
        assert {tuple(row.values()) for row in found} == {tuple(row.values()) for row in wanted}

    def test_throughput_and_working_time(self, site: Site) -> None:
        assert sum(totals(site.chart("throughput")).values()) == site.summary.objects_created.total()
        worked = sum(totals(site.chart("working_time")).values())
        assert worked == pytest.approx(site.summary.working_ms.total() / 3_600_000)

    def test_only_the_busiest_have_lines_of_their_own(self, site: Site) -> None:
        made = totals(site.chart("throughput"))
        busiest = dict(site.summary.objects_by_person.most_common(5))
        assert made == {**busiest, "others": site.summary.objects_by_person.total() - sum(busiest.values())}

    def test_people(self, site: Site) -> None:
        found = {row["person"]: row for row in records(site.chart("people"))}
        summary = site.summary
        assert {name: row["annotations"] for name, row in found.items() if row["annotations"]} == {
            name: number for name, number in summary.objects_by_person.items() if number
        }
        assert {name: round(row["hours"] * 3_600_000) for name, row in found.items() if row["hours"]} == {
            name: worked for name, worked in summary.working_ms.items() if worked
        }
        for row in found.values():
            assert row["per_hour"] == (pytest.approx(row["annotations"] / row["hours"]) if row["hours"] else None)
        assert sum(row["jobs_completed"] for row in found.values()) >= summary.jobs["annotated"]

    def test_labels(self, site: Site) -> None:
        found = {row["label"]: row["annotations"] for row in records(site.chart("labels"))}
        assert found == {label: number for label, number in site.summary.objects_created.items() if number}

    def test_each_completion_has_its_duration(self, site: Site) -> None:
        found = records(site.chart("durations"))
        assert sum(row["jobs"] for row in found) == site.summary.jobs["annotated"]
        assert [row["longest"] for row in found] == sorted(row["longest"] for row in found)

    def test_a_part_of_the_time(self, site: Site) -> None:
        noon = datetime(2026, 11, 10, 12, tzinfo=UTC)
        wanted = drawn([event for event in site.events if event.meta.time >= noon])
        assert 0 < wanted < drawn(site.events)
        found = site.chart("throughput", **{"from": stamp(noon), "to": stamp(site.end)})
        assert sum(totals(found).values()) == wanted
        assert found["from"] == noon.timestamp()
        assert found["to"] >= site.end.timestamp() > found["to"] - found["step"]

    def test_a_project_and_a_task(self, site: Site) -> None:
        event = next(event for event in site.events if isinstance(event.body, AnnotationsChanged))
        for field in ("project_id", "task_id"):
            number = getattr(event.body, field)
            wanted = drawn([event for event in site.events if getattr(event.body, field, None) == number])
            found = site.chart("throughput", **{field: number})
            assert 0 < wanted < drawn(site.events)
            assert sum(totals(found).values()) == wanted

    def test_span(self, site: Site) -> None:
        (found,) = records(site.chart("span"))
        assert found["first"] == int(site.events[0].meta.time.timestamp())
        assert found["last"] == int(site.events[-1].meta.time.timestamp())
        assert found["events"] == len(site.events)


class TestOperations:
    def test_activity_is_per_minute(self, site: Site) -> None:
        chart = site.chart("activity", to=stamp(site.end))
        assert sum(totals(chart).values()) * chart["step"] / 60 == pytest.approx(len(site.events))

    def test_a_request_that_is_not_taken_up_waits(self, site: Site) -> None:
        waiting = counted(site, "SELECT queue, count(*) AS n FROM requests WHERE status = 'queued' GROUP BY queue")
        found = latest(site.chart("waiting", to=stamp(site.end)))
        assert {queue: number for queue, number in found.items() if number} == {r["queue"]: r["n"] for r in waiting}
        assert found["export"] >= 1

    def test_how_long_one_had_waited(self, site: Site) -> None:
        late = {"from": stamp(site.end - timedelta(hours=1.5)), "to": stamp(site.end)}
        chart = site.chart("waits", **late)
        place = chart["columns"].index("export")
        assert {row[place] for row in chart["rows"]} == {0, WAITED}

    def test_errors_and_failures(self, site: Site) -> None:
        failed = sum(number for (_, outcome), number in site.summary.requests.items() if outcome == "failed")
        assert failed
        assert totals(site.chart("failures")).total() == failed
        errors = totals(site.chart("errors"))
        assert errors == {"in browsers": site.summary.client_events["send:exception"], "on the server": failed}
        assert sum(row["times"] for row in records(site.chart("messages"))) == errors.total()

    def test_the_state_of_the_server(self, site: Site) -> None:
        database = site.server.system.database
        database.query("INSERT INTO log.checkpoints (consumer, position) VALUES ('forwarder', 3) RETURNING 1")
        database.query(
            "INSERT INTO log.dead_letters (follower, place, position, stage, error)"
            " VALUES ('forwarder', '7', 7, 'sink', 'No room') RETURNING 1"
        )
        found = site.server.http().get("/api/dashboard/state").json()
        (follower,) = [row for row in found["followers"] if row["follower"] == "forwarder"]
        assert follower["events"] == head(site.server) - 3
        assert follower["dead_letters"] == 1
        assert found["dead_letters"][0]["error"] == "No room"
        assert {row["queue"]: row["waiting"] for row in found["queues"]}["export"] >= 1
        assert found["verifications"] == []
