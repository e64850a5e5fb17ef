"""Tasks: creating, editing, deleting, and the status that follows from their jobs."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from domain.errors import Invalid, NotFound
from domain.event import Body, Event, Metadata
from domain.events.job import JobCreated, JobStateChanged
from domain.events.label import LabelsAdded
from domain.events.task import TaskChanged, TaskCreated, TaskDeleted
from domain.job import STAGES, STATES, status
from domain.task import NewTask, Tasks
from projections.changes import Changes
from projections.tasks import TASKS, projection

from . import given
from .given import ANN
from .memory_log import START, MemoryLog


@pytest.fixture
def tasks(log: MemoryLog) -> Tasks:
    log.given(given.user())
    return Tasks(log)


def test_a_task_is_created_with_its_labels_in_one_go(log: MemoryLog, tasks: Tasks) -> None:
    task_id = tasks.create(ANN, NewTask("cats", [{"name": "cat"}], segment_size=2, overlap=1))
    created, added = log.then
    assert created == given.task(task_id, segment_size=2, overlap=1)
    assert isinstance(added, LabelsAdded)
    assert (added.task_id, added.project_id, added.labels[0]["name"]) == (task_id, None, "cat")
    assert [event.originator_version for event in log.events if event.originator_id == f"task-{task_id}"] == [1, 2]


def test_a_task_without_labels_is_fine(log: MemoryLog, tasks: Tasks) -> None:
    tasks.create(ANN, NewTask("cats", []))
    assert [type(body) for body in log.then] == [TaskCreated]


def test_a_task_of_a_project_uses_the_projects_labels(log: MemoryLog, tasks: Tasks) -> None:
    log.given(given.project(3))
    tasks.create(ANN, NewTask("cats", [], project_id=3))
    assert log.then == [given.task(1, project_id=3)]


def test_a_task_has_labels_or_a_project_never_both(log: MemoryLog, tasks: Tasks) -> None:
    log.given(given.project(3))
    with pytest.raises(Invalid) as refusal:
        tasks.create(ANN, NewTask("cats", [{"name": "cat"}], project_id=3))
    assert refusal.value.detail == ["Project must have only one of Label set or project_id"]
    assert log.then == []


def test_a_task_needs_a_project_that_stands(log: MemoryLog, tasks: Tasks) -> None:
    with pytest.raises(Invalid) as refusal:
        tasks.create(ANN, NewTask("cats", [], project_id=3))
    assert refusal.value.detail == {"project_id": ['Invalid pk "3" - object does not exist.']}
    assert log.then == []


def test_an_unknown_assignee_is_refused(log: MemoryLog, tasks: Tasks) -> None:
    with pytest.raises(Invalid) as refusal:
        tasks.create(ANN, NewTask("cats", [], assignee_id=9))
    assert refusal.value.detail == {"assignee_id": ['Invalid pk "9" - object does not exist.']}
    assert log.then == []


@pytest.mark.parametrize("replicas", [0, 2, 11])
def test_replicas_that_are_possible(log: MemoryLog, tasks: Tasks, replicas: int) -> None:
    tasks.create(ANN, NewTask("cats", [], consensus_replicas=replicas))
    assert log.then == [given.task(1, consensus_replicas=replicas)]


@pytest.mark.parametrize("replicas", [-1, 1, 12])
def test_replicas_that_are_not(log: MemoryLog, tasks: Tasks, replicas: int) -> None:
    with pytest.raises(Invalid):
        tasks.create(ANN, NewTask("cats", [], consensus_replicas=replicas))
    assert log.then == []


def test_only_what_changes_is_recorded(log: MemoryLog, tasks: Tasks) -> None:
    log.given(given.task(7, name="cats", assignee_id=1))
    tasks.update(ANN, 7, {"name": "dogs", "assignee_id": 1, "subset": ""})
    assert log.then == [TaskChanged(7, None, {"name": {"from": "cats", "to": "dogs"}})]


def test_a_change_that_changes_nothing_is_none(log: MemoryLog, tasks: Tasks) -> None:
    log.given(given.task(7))
    tasks.update(ANN, 7, {"name": "cats"})
    assert log.then == []


def test_the_next_change_starts_from_the_last(log: MemoryLog, tasks: Tasks) -> None:
    log.given(given.task(7))
    tasks.update(ANN, 7, {"assignee_id": 1})
    tasks.update(ANN, 7, {"assignee_id": None})
    assert log.then[1] == TaskChanged(7, None, {"assignee_id": {"from": 1, "to": None}})


@pytest.mark.parametrize("field", ["owner_id", "assignee_id"])
def test_a_task_is_handed_only_to_somebody(log: MemoryLog, tasks: Tasks, field: str) -> None:
    log.given(given.task(7))
    with pytest.raises(Invalid) as refusal:
        tasks.update(ANN, 7, {field: 9})
    assert refusal.value.detail.keys() == {field}
    assert log.then == []


def test_two_changes_at_a_time_both_count(log: MemoryLog, tasks: Tasks) -> None:
    log.given(given.task(7))
    log.meanwhile(lambda: tasks.update(ANN, 7, {"name": "dogs"}))
    tasks.update(ANN, 7, {"name": "birds"})
    assert log.then == [
        TaskChanged(7, None, {"name": {"from": "cats", "to": "dogs"}}),
        TaskChanged(7, None, {"name": {"from": "dogs", "to": "birds"}}),
    ]


def test_a_deleted_task_is_gone_for_every_command(log: MemoryLog, tasks: Tasks) -> None:
    log.given(given.task(7), given.job(5))
    tasks.delete(ANN, 7)
    assert log.then == [TaskDeleted(7, None, "cats", [5], [])]
    with pytest.raises(NotFound):
        tasks.delete(ANN, 7)
    with pytest.raises(NotFound):
        tasks.update(ANN, 7, {"name": "dogs"})
    assert len(log.then) == 1


def test_a_task_deleted_meanwhile_is_not_edited(log: MemoryLog, tasks: Tasks) -> None:
    log.given(given.task(7))
    log.meanwhile(lambda: tasks.delete(ANN, 7))
    with pytest.raises(NotFound):
        tasks.update(ANN, 7, {"name": "dogs"})
    assert [type(body) for body in log.then] == [TaskDeleted]


MOVES = st.lists(st.tuples(st.integers(1, 4), st.sampled_from(STAGES), st.sampled_from(STATES)), max_size=30)


@hypothesis_given(count=st.integers(0, 4), moves=MOVES, cuts=st.sets(st.integers(0, 35)))
def test_the_counters_of_a_task_are_the_counts_over_its_jobs(
    count: int, moves: list[tuple[int, str, str]], cuts: set[int]
) -> None:
    """Whatever the history of the jobs, and however the events fall into batches."""
    places = dict.fromkeys(range(1, count + 1), ("annotation", "new"))
    bodies: list[Body] = [given.task(7), *(given.job(job_id) for job_id in places)]
    for job_id, stage, state in moves:
        if job_id in places:
            bodies.append(JobStateChanged(job_id, 7, None, stage, state, *places[job_id]))
            places[job_id] = (stage, state)
    statuses = Counter(status(*place) for place in places.values())
    assert counters(bodies, cuts) == {
        "job_count": count,
        "annotation_jobs": statuses["annotation"],
        "completed_jobs": statuses["completed"],
        "validation_stage_jobs": sum(stage == "validation" for stage, _ in places.values()),
    }


def counters(bodies: list[Body], cuts: set[int]) -> dict[str, int]:
    """Folds the bodies, each cut beginning a new batch, and adds up what the batches would do to the row."""
    totals: Counter[str] = Counter()
    changes = Changes()
    for number, body in enumerate(bodies):
        if number in cuts:
            totals.update(numbers(changes))
            changes = Changes()
        for fold in projection.folds.get(type(body), ()):
            fold(body, Event(body.stream, 1, body, Metadata(START, "api"), number), changes)
    totals.update(numbers(changes))
    return {name: totals[name] for name in ("job_count", "annotation_jobs", "completed_jobs", "validation_stage_jobs")}


def numbers(changes: Changes) -> dict[str, int]:
    rows: list[dict[str, Any]] = [*changes[TASKS].inserts.values(), *changes[TASKS].sums.values()]
    return {name: value for row in rows for name, value in row.items() if name.endswith(("_jobs", "job_count"))}


def test_a_job_created_in_another_stage_counts_there() -> None:
    bodies = [given.task(7), given.job(1, stage="acceptance", state="completed"), given.job(2, stage="validation")]
    assert isinstance(bodies[1], JobCreated)
    assert counters(bodies, set()) == {
        "job_count": 2,
        "annotation_jobs": 0,
        "completed_jobs": 1,
        "validation_stage_jobs": 1,
    }
