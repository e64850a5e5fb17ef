"""Ground truth and pools that a task is born with (CVAT contract 3.4)."""

from __future__ import annotations

from typing import Any

import pytest
from numpy.random import MT19937, Generator

from domain.data_params import DataParams, ValidationParams
from domain.errors import AnnalsError, MediaError
from domain.splitting import Segment, split_by_lengths, split_evenly
from domain.task import Task
from domain.validation.selection import Unpickable
from domain.validation.setup import Pooled, plan_ground_truth, plan_pool

NAMES = [f"{n}.jpg" for n in range(10)]


def task(**fields: Any) -> Task:
    wanted = {"segment_size": 3, "overlap": None, "consensus_replicas": 0} | fields
    return Task(task_id=7, project_id=None, fields={}, **wanted)


def pooled(task: Task, max_jobs: int = 100, **how: Any) -> Pooled:
    wanted = ValidationParams("gt_pool", **{"frame_selection_method": "random_uniform", "frame_count": 4, **how})
    params = DataParams(validation_params=wanted)
    return plan_pool(task, params, wanted, NAMES, seed=42, max_jobs=max_jobs)


def test_ground_truth_by_name() -> None:
    wanted = ValidationParams("gt", "manual", frames=("7.jpg", "2.jpg"))
    plan = plan_ground_truth(wanted, split_evenly(10, 3), NAMES, seed=1)
    assert (plan.mode, plan.frames, plan.frames_per_job_count, plan.honeypots) == ("gt", [2, 7], None, {})
    with pytest.raises(Unpickable, match=r"Unknown validation frames requested: 11\.jpg, 12\.jpg"):
        plan_ground_truth(ValidationParams("gt", "manual", frames=("12.jpg", "11.jpg")), split_evenly(10, 3), NAMES, 1)


def test_ground_truth_by_chance() -> None:
    uniform = plan_ground_truth(ValidationParams("gt", "random_uniform", frame_share=0.3), split_evenly(10, 3), (), 42)
    expected = Generator(MT19937(42)).choice(range(10), size=3, shuffle=False, replace=False)
    assert uniform.frames == sorted(expected.tolist())
    per_job = ValidationParams("gt", "random_per_job", frames_per_job_count=1, frame_count=9)
    frames = plan_ground_truth(per_job, split_evenly(10, 3), (), 42).frames
    assert [frame // 3 for frame in frames] == [0, 1, 2, 3]


def test_ground_truth_of_jobs_of_different_lengths() -> None:
    half = ValidationParams("gt", "random_per_job", frames_per_job_share=0.5)
    frames = plan_ground_truth(half, split_by_lengths([2, 6, 1]), (), 42).frames
    assert [sum(start <= frame <= stop for frame in frames) for start, stop in [(0, 1), (2, 7), (8, 8)]] == [1, 3, 1]


def test_a_pool_by_chance() -> None:
    pool = pooled(task(), frames_per_job_count=2)
    drawn = Generator(MT19937(42)).choice(range(10), size=4, shuffle=False, replace=False).tolist()
    assert pool.names[-4:] == [NAMES[number] for number in drawn]
    assert pool.split.segments == (Segment(0, 4), Segment(5, 9))
    assert (pool.split.segment_size, pool.split.overlap) == (0, 0)
    assert (pool.plan.mode, pool.plan.frames, pool.plan.frames_per_job_count) == ("gt_pool", [10, 11, 12, 13], 2)
    assert len(pool.plan.honeypots) == 4
    assert all(pool.names[frame] == pool.names[real] for frame, real in pool.plan.honeypots.items())
    assert pooled(task(), frames_per_job_count=2) == pool


def test_a_pool_by_name_and_a_share_per_job() -> None:
    how = {"frame_selection_method": "manual", "frames": ("7.jpg", "2.jpg", "7.jpg"), "frames_per_job_share": 0.5}
    pool = pooled(task(segment_size=4), **how)
    assert pool.names[-2:] == ["7.jpg", "2.jpg"]
    assert pool.plan.frames_per_job_count == 2
    assert [segment.size for segment in pool.split.segments] == [6, 6]
    whole = pooled(task(segment_size=0), frames_per_job_share=0.2)
    assert [segment.size for segment in whole.split.segments] == [6 + 2]


@pytest.mark.parametrize(
    ("of", "how", "kind", "message"),
    [
        ({"overlap": 1}, {}, MediaError, "cannot be used with an overlap"),
        ({"consensus_replicas": 9}, {}, MediaError, "20 jobs"),
        ({}, {"frame_count": 10}, Unpickable, r"\(10\) must be less than the number of task frames \(10\)"),
        ({}, {"frame_count": None}, Unpickable, "The number of validation frames is not specified"),
        ({}, {"frames_per_job_count": 5}, Unpickable, r"\(5\) is greater than the validation pool size \(4\)"),
        ({}, {"frame_selection_method": "manual", "frames": tuple(NAMES)}, Unpickable, "none is left to annotate"),
    ],
)
def test_a_pool_refused(of: dict[str, Any], how: dict[str, Any], kind: type[AnnalsError], message: str) -> None:
    with pytest.raises(kind, match=message):
        pooled(task(**of), max_jobs=19, **{"frames_per_job_count": 1, **how})


def test_a_pool_does_not_go_with_a_file_mapping() -> None:
    wanted = ValidationParams("gt_pool", "random_uniform", frame_count=1, frames_per_job_count=1)
    params = DataParams(validation_params=wanted, job_file_mapping=(("0.jpg",),))
    with pytest.raises(MediaError, match="job_file_mapping"):
        plan_pool(task(), params, wanted, NAMES, seed=1, max_jobs=100)
