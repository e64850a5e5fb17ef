"""Ground truth jobs: one at most, on frames that are there (CVAT contract 3.4)."""

from __future__ import annotations

import pytest

from domain.data import Data, Prepared
from domain.errors import Conflict, Invalid, NotFound
from domain.events.data import FramesDeleted, JobsSplit
from domain.events.job import JobCreated, JobDeleted, JobRestored
from domain.events.validation import Honeypot, HoneypotsPlaced, ValidationSetUp
from domain.ground_truth import GroundTruth
from domain.job import Jobs
from domain.splitting import split_by_lengths, split_evenly
from domain.validation.selection import Amount, Sampling
from domain.validation.setup import Plan

from . import given
from .given import ANN
from .memory_log import MemoryLog

BY_HAND = Sampling("manual", Amount(), 0, (4, 2))


@pytest.fixture
def split_log() -> MemoryLog:
    """Ann's task 7: ten frames in the jobs 5 and 6."""
    log = MemoryLog()
    jobs = (given.job(5, frames=(0, 4)), given.job(6, frames=(5, 9)))
    log.given(given.user(), given.task(), given.labels(), given.uploaded(size=10), JobsSplit(7, 5, 0, 2), *jobs)
    return log


def ground_truth_job(job_id: int, assignee_id: int | None = None) -> JobCreated:
    return JobCreated(job_id, 7, None, 1, "ground_truth", 0, 9, assignee_id, "annotation", "new", None)


def test_a_ground_truth_job_has_but_some_frames(split_log: MemoryLog) -> None:
    assert GroundTruth(split_log).create(ANN, 7, BY_HAND, assignee_id=1) == 1
    assert split_log.then == [ground_truth_job(1, 1), ValidationSetUp(7, None, 1, "gt", [2, 4], None)]


def test_each_job_has_its_share(split_log: MemoryLog) -> None:
    GroundTruth(split_log).create(ANN, 7, Sampling("random_per_job", Amount(2), 3))
    [_, set_up] = split_log.then
    assert isinstance(set_up, ValidationSetUp)
    assert [frame < 5 for frame in set_up.frames] == [True, True, False, False]


def test_deleted_frames_are_not_picked(split_log: MemoryLog) -> None:
    gone = [0, 1, 2, 3, 5, 6, 7, 8]
    split_log.given(FramesDeleted(7, None, None, gone, gone))
    GroundTruth(split_log).create(ANN, 7, Sampling("random_uniform", Amount(2), 3))
    assert split_log.then[1:] == [ValidationSetUp(7, None, 1, "gt", [4, 9], None)]


def test_a_task_has_one_ground_truth_job(split_log: MemoryLog) -> None:
    GroundTruth(split_log).create(ANN, 7, BY_HAND)
    with pytest.raises(Invalid) as refusal:
        GroundTruth(split_log).create(ANN, 7, BY_HAND)
    assert refusal.value.detail == ['Task with validation mode "gt" cannot have more than 1 GT job']
    assert len(split_log.then) == 2


def test_of_two_at_the_same_moment_one_is_refused(split_log: MemoryLog) -> None:
    split_log.meanwhile(lambda: GroundTruth(split_log).create(ANN, 7, BY_HAND))
    with pytest.raises(Invalid):
        GroundTruth(split_log).create(ANN, 7, BY_HAND)
    assert len(split_log.then) == 2


def test_a_task_without_data_has_none(log: MemoryLog) -> None:
    log.given(given.task())
    with pytest.raises(Invalid) as refusal:
        GroundTruth(log).create(ANN, 7, BY_HAND)
    assert refusal.value.detail == ["This task has no data attached yet. Please set up task data and try again"]
    with pytest.raises(NotFound):
        GroundTruth(log).create(ANN, 8, BY_HAND)
    assert log.then == []


def test_an_unknown_assignee_is_refused(split_log: MemoryLog) -> None:
    with pytest.raises(Invalid) as refusal:
        GroundTruth(split_log).create(ANN, 7, BY_HAND, assignee_id=99)
    assert refusal.value.detail == {"assignee": ['Invalid pk "99" - object does not exist.']}


def test_a_deleted_one_makes_room_and_comes_back_only_where_there_is_room(split_log: MemoryLog) -> None:
    truth, jobs = GroundTruth(split_log), Jobs(split_log)
    truth.create(ANN, 7, BY_HAND)
    jobs.delete(ANN, 1)
    jobs.restore(ANN, 1)
    jobs.delete(ANN, 1)
    assert truth.create(ANN, 7, BY_HAND) == 2
    with pytest.raises(Conflict, match="task-7 has another ground truth job: job-2"):
        jobs.restore(ANN, 1)
    jobs.delete(ANN, 2)
    jobs.restore(ANN, 1)
    with pytest.raises(Conflict):
        jobs.restore(ANN, 2)
    kinds = [type(body) for body in split_log.then if not isinstance(body, JobCreated | ValidationSetUp)]
    assert kinds == [JobDeleted, JobRestored, JobDeleted, JobDeleted, JobRestored]


def test_one_that_comes_back_meanwhile_takes_the_room(split_log: MemoryLog) -> None:
    truth, jobs = GroundTruth(split_log), Jobs(split_log)
    truth.create(ANN, 7, BY_HAND)
    jobs.delete(ANN, 1)
    split_log.meanwhile(lambda: jobs.restore(ANN, 1))
    with pytest.raises(Invalid, match="cannot have more than 1 GT job"):
        truth.create(ANN, 7, BY_HAND)


def test_the_pool_of_honeypots_stays(split_log: MemoryLog) -> None:
    split_log.given(ground_truth_job(9), ValidationSetUp(7, None, 9, "gt_pool", [8, 9], 1))
    with pytest.raises(Invalid) as refusal:
        Jobs(split_log).delete(ANN, 9)
    assert refusal.value.detail == ['GT jobs cannot be removed when task validation mode is "gt_pool"']


def test_each_job_is_followed_by_its_replicas(log: MemoryLog) -> None:
    log.given(given.task(consensus_replicas=2))
    split = split_evenly(4, 2, replicas=2)
    frames = [given.frame(f"{n}.jpg") for n in range(4)]
    bodies = Data(log).prepared(Data(log).task(7), Prepared(given.uploaded(), split, frames))
    jobs = [body for body in bodies if isinstance(body, JobCreated)]
    assert [(j.job_id, j.type, j.parent_job_id, j.segment_id, j.start_frame, j.stop_frame) for j in jobs] == [
        (1, "annotation", None, 1, 0, 1), (2, "replica", 1, 1, 0, 1), (3, "replica", 1, 1, 0, 1),
        (4, "annotation", None, 2, 2, 3), (5, "replica", 4, 2, 2, 3), (6, "replica", 4, 2, 2, 3),
    ]  # fmt: skip
    assert JobsSplit(7, 2, 0, 6) in bodies


def test_a_task_is_born_with_its_pool(log: MemoryLog) -> None:
    log.given(given.task())
    frames = [given.frame(name) for name in ("a.jpg", "c.jpg", "b.jpg", "c.jpg")]
    plan = Plan("gt_pool", [3], 1, {1: 3})
    prepared = Prepared(given.uploaded(), split_by_lengths([3]), frames, validation=plan)
    bodies = Data(log).prepared(Data(log).task(7), prepared)
    assert bodies[-4:] == [
        JobCreated(1, 7, None, 1, "annotation", 0, 2, None, "annotation", "new", None),
        JobCreated(2, 7, None, 2, "ground_truth", 0, 3, None, "annotation", "new", None),
        ValidationSetUp(7, None, 2, "gt_pool", [3], 1),
        HoneypotsPlaced(7, None, [Honeypot(frame=1, real_frame=3, picture=given.frame("c.jpg"))]),
    ]
