"""Jobs: stage, state, status and assignee (CVAT contract 3.5)."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest

from domain.errors import Invalid, NotFound, VersionConflict
from domain.events.job import JobAssigned, JobStateChanged
from domain.job import STAGES, STATES, Jobs, status
from domain.retry import ATTEMPTS

from . import given
from .given import ANN
from .memory_log import MemoryLog

PLACES = list(product(STAGES, STATES))


@pytest.fixture
def jobs(log_with_task: MemoryLog) -> Jobs:
    return Jobs(log_with_task)


@pytest.mark.parametrize(("stage", "state"), PLACES)
def test_status_is_annotation_in_the_first_stage_and_completed_only_in_the_last(stage: str, state: str) -> None:
    expected = "annotation" if stage == "annotation" else "validation"
    if (stage, state) == ("acceptance", "completed"):
        expected = "completed"
    assert status(stage, state) == expected


@pytest.mark.parametrize(("stage", "state"), PLACES)
@pytest.mark.parametrize(("to_stage", "to_state"), PLACES)
def test_every_transition_is_accepted(stage: str, state: str, to_stage: str, to_state: str) -> None:
    log = MemoryLog()
    log.given(given.task(), given.job(stage=stage, state=state))
    Jobs(log).update(ANN, 5, stage=to_stage, state=to_state)
    if (stage, state) == (to_stage, to_state):
        assert log.then == []
    else:
        assert log.then == [JobStateChanged(5, 7, None, to_stage, to_state, stage, state)]


def test_a_new_stage_without_a_state_starts_anew(log: MemoryLog) -> None:
    log.given(given.task(), given.job(state="completed"))
    Jobs(log).update(ANN, 5, stage="validation")
    assert log.then == [JobStateChanged(5, 7, None, "validation", "new", "annotation", "completed")]


def test_the_same_stage_keeps_the_state(log: MemoryLog) -> None:
    log.given(given.task(), given.job(stage="validation", state="in progress"))
    Jobs(log).update(ANN, 5, stage="validation")
    assert log.then == []


def test_a_state_without_a_stage_stays_in_the_stage(log: MemoryLog) -> None:
    log.given(given.task(), given.job(stage="acceptance", state="new"))
    Jobs(log).update(ANN, 5, state="completed")
    assert log.then == [JobStateChanged(5, 7, None, "acceptance", "completed", "acceptance", "new")]


@pytest.mark.parametrize("wanted", [{"stage": "done"}, {"state": "open"}, {"stage": ""}, {"state": "NEW"}])
def test_unknown_stages_and_states_are_refused(jobs: Jobs, log_with_task: MemoryLog, wanted: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refusal:
        jobs.update(ANN, 5, **wanted)
    assert refusal.value.detail.keys() == wanted.keys()
    assert log_with_task.then == []


def test_a_job_is_handed_over_and_taken_back(jobs: Jobs, log_with_task: MemoryLog) -> None:
    log_with_task.given(given.user(2, "bob"))
    jobs.update(ANN, 5, assignee_id=2)
    jobs.update(ANN, 5, assignee_id=None)
    assert log_with_task.then == [JobAssigned(5, 7, None, 2, "bob", None), JobAssigned(5, 7, None, None, None, 2)]


@pytest.mark.parametrize("assignee", [None, 1])
def test_handing_a_job_to_whoever_has_it_changes_nothing(log: MemoryLog, assignee: int | None) -> None:
    log.given(given.task(), given.user(), given.job(assignee_id=assignee))
    Jobs(log).update(ANN, 5, assignee_id=assignee)
    assert log.then == []


def test_an_unknown_assignee_is_refused_with_the_whole_command(jobs: Jobs, log_with_task: MemoryLog) -> None:
    with pytest.raises(Invalid) as refusal:
        jobs.update(ANN, 5, state="completed", assignee_id=99)
    assert refusal.value.detail == {"assignee": ['Invalid pk "99" - object does not exist.']}
    assert log_with_task.then == []


def test_state_and_assignee_are_changed_in_one_go(jobs: Jobs, log_with_task: MemoryLog) -> None:
    jobs.update(ANN, 5, state="in progress", assignee_id=1)
    assert [event.body for event in log_with_task.events if event.originator_id == "job-5"][1:] == [
        JobStateChanged(5, 7, None, "annotation", "in progress", "annotation", "new"),
        JobAssigned(5, 7, None, 1, "ann", None),
    ]
    assert {event.meta.time for event in log_with_task.events[-2:]} == {log_with_task.events[-1].meta.time}


def test_an_unknown_job_is_not_found(jobs: Jobs) -> None:
    with pytest.raises(NotFound):
        jobs.update(ANN, 99, state="completed")


def test_who_comes_second_decides_again(jobs: Jobs, log_with_task: MemoryLog) -> None:
    log_with_task.meanwhile(lambda: jobs.update(ANN, 5, stage="validation"))
    jobs.update(ANN, 5, state="completed")
    assert log_with_task.then == [
        JobStateChanged(5, 7, None, "validation", "new", "annotation", "new"),
        JobStateChanged(5, 7, None, "validation", "completed", "validation", "new"),
    ]


def test_who_is_too_late_again_and_again_is_told(jobs: Jobs, log_with_task: MemoryLog) -> None:
    states = ["in progress", "new"] * (ATTEMPTS // 2)
    others = [JobStateChanged(5, 7, None, "annotation", state, "annotation", "") for state in states]
    log_with_task.meanwhile(*(lambda other=other: log_with_task.record(ANN, [other]) for other in others))
    with pytest.raises(VersionConflict):
        jobs.update(ANN, 5, state="rejected")
    assert log_with_task.then == others
