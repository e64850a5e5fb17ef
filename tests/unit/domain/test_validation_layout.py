"""What honeypots show and which validation frames count, changed after a task was made (CVAT contract 3.4)."""

from __future__ import annotations

from collections import Counter

import pytest

from domain.errors import Invalid
from domain.events.data import FramesAdded, JobsSplit
from domain.events.job import JobCreated
from domain.events.validation import Honeypot, HoneypotsPlaced, ValidationFramesDisabled, ValidationSetUp
from domain.validation_layout import Redraw, ValidationLayouts

from . import given
from .given import ANN
from .memory_log import MemoryLog

NAMES = ("a", "x", "y", "b", "z", "y", "x", "y", "z")
"""Frames 0..2 and 3..5 are those of jobs, 6..8 the pool."""


def placed(**real_frames: int) -> HoneypotsPlaced:
    """Honeypots by frame, as `f1=6`."""
    pots = [(int(frame[1:]), real) for frame, real in real_frames.items()]
    return HoneypotsPlaced(
        7, None, [Honeypot(frame=frame, real_frame=real, picture=given.frame(NAMES[real])) for frame, real in pots]
    )


@pytest.fixture
def pooled_log() -> MemoryLog:
    """Ann's task 7 with the jobs 1 and 2, two honeypots in each, and the pool in job 3."""
    log = MemoryLog()
    log.given(
        given.user(), given.task(), given.labels(), given.uploaded(size=9),
        FramesAdded(7, 0, [given.frame(name) for name in NAMES]), JobsSplit(7, 0, 0, 2),
        given.job(1, frames=(0, 2)), given.job(2, frames=(3, 5)), given.job(3, frames=(0, 8), type="ground_truth"),
        ValidationSetUp(7, None, 3, "gt_pool", [6, 7, 8], 2), placed(f1=6, f2=7, f4=8, f5=7),
    )  # fmt: skip
    return log


@pytest.fixture
def layouts(pooled_log: MemoryLog) -> ValidationLayouts:
    return ValidationLayouts(pooled_log)


def by_hand(*real_frames: int) -> Redraw:
    return Redraw("manual", 0, real_frames)


def test_by_hand_what_changes_is_recorded(layouts: ValidationLayouts, pooled_log: MemoryLog) -> None:
    layouts.change(ANN, 7, redraw=by_hand(6, 8, 7, 7))
    assert pooled_log.then == [placed(f2=8, f4=7)]
    layouts.change(ANN, 7, redraw=by_hand(6, 8, 7, 7))
    assert len(pooled_log.then) == 1


def test_one_job_by_hand(layouts: ValidationLayouts, pooled_log: MemoryLog) -> None:
    layouts.change_in_job(ANN, 2, by_hand(6, 7))
    assert pooled_log.then == [placed(f4=6)]


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ((6,), "Specify as many frames as there are honeypots: 2, not 1"),
        ((6, 1), "Not active validation frames: 1"),
        ((6, 8), "Not active validation frames: 8"),
    ],
)
def test_by_hand_refused(
    layouts: ValidationLayouts, pooled_log: MemoryLog, wanted: tuple[int, ...], message: str
) -> None:
    layouts.change(ANN, 7, disabled=[8])
    with pytest.raises(Invalid) as refusal:
        layouts.change_in_job(ANN, 1, by_hand(*wanted))
    assert refusal.value.detail == [message]
    assert len(pooled_log.then) == 1


@pytest.mark.parametrize("seed", range(20))
def test_by_chance_all_are_shown_equally_often(layouts: ValidationLayouts, pooled_log: MemoryLog, seed: int) -> None:
    layouts.change(ANN, 7, redraw=Redraw("random_uniform", seed))
    now = pooled_log.lookup.validation(7).honeypots
    uses = Counter(now.values())
    assert sorted(now) == [1, 2, 4, 5]
    assert uses.keys() == {6, 7, 8}
    assert max(uses.values()) == 2
    assert now[1] != now[2]
    assert now[4] != now[5]


@pytest.mark.parametrize("seed", range(20))
def test_by_chance_a_job_gets_what_others_show_least(
    layouts: ValidationLayouts, pooled_log: MemoryLog, seed: int
) -> None:
    layouts.change_in_job(ANN, 2, Redraw("random_uniform", seed))
    now = pooled_log.lookup.validation(7).honeypots
    assert (now[1], now[2]) == (6, 7)
    assert 8 in (now[4], now[5])
    assert now[4] != now[5]


def test_by_chance_only_active_frames_are_shown(layouts: ValidationLayouts, pooled_log: MemoryLog) -> None:
    layouts.change(ANN, 7, disabled=[6], redraw=Redraw("random_uniform", 3))
    assert set(pooled_log.lookup.validation(7).honeypots.values()) == {7, 8}
    with pytest.raises(Invalid, match=r"per job \(2\) is greater than the validation pool size \(1\)"):
        layouts.change(ANN, 7, disabled=[6, 7], redraw=Redraw("random_uniform", 3))
    assert pooled_log.lookup.validation(7).disabled == {6}


def test_frames_are_disabled_and_enabled(layouts: ValidationLayouts, pooled_log: MemoryLog) -> None:
    layouts.change(ANN, 7, disabled=[8, 6, 8])
    layouts.change(ANN, 7, disabled=[6, 8])
    layouts.change(ANN, 7, disabled=[])
    assert pooled_log.then == [ValidationFramesDisabled(7, None, [6, 8]), ValidationFramesDisabled(7, None, [])]
    with pytest.raises(Invalid) as refusal:
        layouts.change(ANN, 7, disabled=[6, 1])
    assert refusal.value.detail == ["Unknown frames requested for exclusion from the validation set: 1"]


def test_the_pool_has_no_honeypots(layouts: ValidationLayouts) -> None:
    with pytest.raises(Invalid, match="A ground truth job has no honeypots"):
        layouts.change_in_job(ANN, 3, by_hand())


def test_without_honeypots_there_is_nothing_to_draw(log_with_task: MemoryLog) -> None:
    layouts = ValidationLayouts(log_with_task)
    with pytest.raises(Invalid, match="no validation setup"):
        layouts.change(ANN, 7, disabled=[])
    job = JobCreated(9, 7, None, 9, "ground_truth", 0, 19, None, "annotation", "new", None)
    log_with_task.given(job, ValidationSetUp(7, None, 9, "gt", [3, 4], None))
    layouts.change(ANN, 7, disabled=[4])
    assert log_with_task.then == [ValidationFramesDisabled(7, None, [4])]
    for refused in (lambda: layouts.change(ANN, 7, redraw=by_hand()), lambda: layouts.change_in_job(ANN, 5, by_hand())):
        with pytest.raises(Invalid, match="Honeypots can only be changed in tasks with honeypots"):
            refused()


def test_who_comes_second_decides_again(layouts: ValidationLayouts, pooled_log: MemoryLog) -> None:
    pooled_log.meanwhile(lambda: layouts.change(ANN, 7, disabled=[8]))
    with pytest.raises(Invalid, match="Not active validation frames: 8"):
        layouts.change_in_job(ANN, 1, by_hand(6, 8))
    assert pooled_log.then == [ValidationFramesDisabled(7, None, [8])]
