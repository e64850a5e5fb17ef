"""The questions that analysts ask, answered on a campaign of which everything is known."""

from __future__ import annotations

from collections import Counter

import pytest
from clickhouse_connect.driver.client import Client

from .conftest import Campaign
from .steps import rows


def by(answer: list[tuple[str, int]]) -> Counter[str]:
    return Counter(dict(answer))


def test_working_time_per_person(analysts: Client, campaign: Campaign) -> None:
    statement = "SELECT user_name, round(sum(hours) * 3600000) FROM cvat.working_time_daily GROUP BY user_name"
    assert by(rows(analysts, statement)) == campaign.summary.working_ms


def test_working_time_per_task(analysts: Client, campaign: Campaign) -> None:
    statement = "SELECT task_id, round(sum(hours) * 3600000) FROM cvat.working_time_daily GROUP BY task_id"
    assert dict(rows(analysts, statement)) == campaign.summary.working_ms_by_task


def test_objects_per_person(analysts: Client, campaign: Campaign) -> None:
    statement = """
        SELECT user_name, sum(objects_created) AS n FROM cvat.throughput_daily GROUP BY user_name HAVING n > 0
    """
    assert by(rows(analysts, statement)) == campaign.summary.objects_by_person


def test_jobs_completed_per_person(analysts: Client, campaign: Campaign) -> None:
    summary = campaign.summary
    statement = "SELECT user_name, sum(jobs_completed) AS n FROM cvat.throughput_daily GROUP BY user_name HAVING n > 0"
    assert by(rows(analysts, statement)) == summary.jobs_annotated + summary.jobs_accepted


def test_rates_are_what_was_done_by_the_hours(analysts: Client) -> None:
    statement = """
        SELECT countIf(hours > 0 AND shapes_created > 0 AND frames_annotated > 0),
            max(abs(shapes_per_hour * hours - shapes_created)), max(abs(frames_per_hour * hours - frames_annotated))
        FROM cvat.throughput_daily WHERE hours > 0
    """
    ((worked, shapes, frames),) = rows(analysts, statement)
    assert worked > 5
    assert shapes == pytest.approx(0, abs=1e-6)
    assert frames == pytest.approx(0, abs=1e-6)


def test_completions_by_stage(analysts: Client, campaign: Campaign) -> None:
    summary = campaign.summary
    statement = """
        SELECT stage, count(), min(seconds_in_stage) >= 0, min(seconds_since_created - seconds_in_stage) >= 0
        FROM cvat.job_completions GROUP BY stage ORDER BY stage
    """
    assert rows(analysts, statement) == [
        ("acceptance", summary.jobs_accepted.total(), True, True),
        ("annotation", summary.jobs_annotated.total(), True, True),
    ]


def test_each_job_is_always_in_one_state(analysts: Client, campaign: Campaign) -> None:
    statement = """
        SELECT uniqExact(job_id), uniqExactIf(job_id, state = 'new' AND stage = 'annotation'), countIf(stage = ''),
            countIf(state = 'rejected')
        FROM cvat.job_state_times
    """
    created = campaign.summary.jobs["created"]
    assert rows(analysts, statement) == [(created, created, 0, campaign.summary.jobs_rejected.total())]
    gaps = """
        SELECT count() FROM
        (
            SELECT cause, began, lagInFrame(ended) OVER
                (PARTITION BY job_id ORDER BY began ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW) AS before
            FROM cvat.job_state_times
        ) WHERE cause = 'moved' AND began IS DISTINCT FROM before
    """
    assert rows(analysts, gaps) == [(0,)]


def test_requests_by_outcome(analysts: Client, campaign: Campaign) -> None:
    statement = """
        SELECT action, count(), countIf(outcome = 'finished'), countIf(outcome = 'failed'), sum(attempts)
        FROM cvat.request_runs GROUP BY action ORDER BY action
    """
    requests = campaign.summary.requests
    actions = sorted({action for action, _ in requests})
    assert rows(analysts, statement) == [
        (action, *(requests[action, step] for step in ("queued", "finished", "failed", "started")))
        for action in actions
    ]


def test_how_long_exports_take(analysts: Client, campaign: Campaign) -> None:
    statement = """
        SELECT sum(finished), sum(failed), min(seconds_worked) > 0, max(seconds_worked_p95) < 86400
        FROM cvat.exchange_durations WHERE action = 'export'
    """
    requests = campaign.summary.requests
    assert rows(analysts, statement) == [(requests["export", "finished"], requests["export", "failed"], True, True)]


def test_queues_are_never_less_than_empty_and_end_as_the_requests_do(analysts: Client) -> None:
    statement = """
        SELECT queue, argMax(waiting, timestamp), argMax(running, timestamp), min(waiting) >= 0, min(running) >= 0,
            max(waiting) > 0
        FROM cvat.queue_depth GROUP BY queue ORDER BY queue
    """
    left = """
        SELECT queue, countIf(outcome = 'queued'), countIf(outcome = 'started'), true, true, true
        FROM cvat.request_runs GROUP BY queue ORDER BY queue
    """
    assert rows(analysts, statement) == rows(analysts, left)


def test_labels_as_they_were_drawn(analysts: Client, campaign: Campaign) -> None:
    """All that was ever created, whatever became of it."""
    statement = """
        SELECT label, sum(objects) FROM cvat.annotation_objects
        JOIN (SELECT label_id, label FROM cvat.labels) AS labels USING (label_id)
        WHERE action = 'create' GROUP BY label
    """
    assert by(rows(analysts, statement)) == campaign.summary.objects_created


def test_objects_by_kind(analysts: Client, campaign: Campaign) -> None:
    statement = "SELECT action, kind, type, sum(objects) FROM cvat.annotation_objects GROUP BY ALL"
    found: dict[str, Counter[tuple[str, str]]] = {"created": Counter(), "updated": Counter(), "deleted": Counter()}
    for action, kind, kind_type, number in rows(analysts, statement):
        found[f"{action}d"][kind, kind_type] = number
    assert found == {key: campaign.summary.objects_by_kind[key] for key in found}


def test_what_stands_is_what_was_drawn_less_what_was_deleted(analysts: Client, campaign: Campaign) -> None:
    standing: dict[tuple[str, int], tuple[int, int]] = {}
    for event in campaign.events:
        body = event.body
        for documents in (getattr(body, "created", None), getattr(body, "updated", None)):
            for kind, items in (documents or {}).items():
                for item in items:
                    standing[kind, item["id"]] = (item["label_id"], body.job_id)  # type: ignore[attr-defined]
        for kind, by_type in (getattr(body, "removed", None) or {}).items():
            for ids in by_type.values():
                for object_id in ids if isinstance(ids, list) else ():
                    del standing[kind, object_id]
        if body.type_name == "AnnotationsCleared":
            standing = {key: at for key, at in standing.items() if at[1] != body.job_id}  # type: ignore[attr-defined]
    gone = {row[0] for row in rows(analysts, "SELECT job_id FROM cvat.jobs WHERE deleted")}
    wanted = Counter(label_id for label_id, job_id in standing.values() if job_id not in gone)
    statement = "SELECT label_id, sum(objects) FROM cvat.label_distribution GROUP BY label_id"
    assert dict(rows(analysts, statement)) == wanted
    ((shapes, tags, tracks),) = rows(
        analysts, "SELECT sum(shapes), sum(tags), sum(tracks_begun) FROM cvat.shapes_per_frame"
    )
    kinds = Counter(kind for (kind, _), (_, job_id) in standing.items() if job_id not in gone)
    assert (shapes, tags, tracks) == (kinds["shapes"], kinds["tags"], kinds["tracks"])
