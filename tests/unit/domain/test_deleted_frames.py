"""Deleting frames and bringing them back."""

from __future__ import annotations

import pytest
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from domain.deleted_frames import DeletedFrames, Part, change
from domain.errors import Invalid, NotFound
from domain.events.data import FramesDeleted, FramesRestored
from domain.events.job import JobDeleted
from domain.events.task import TaskDeleted
from domain.events.validation import ValidationSetUp

from . import given
from .given import ANN
from .memory_log import MemoryLog

frames = st.frozensets(st.integers(0, 9), max_size=6)


@pytest.fixture
def deleted(log: MemoryLog) -> DeletedFrames:
    """Task 7 of ten frames, with job 5 of frames 2 to 6; frames 1 and 3 are deleted."""
    log.given(given.user(), given.task(7), given.uploaded(7, 10), given.job(5, 7, (2, 6)))
    log.given(FramesDeleted(7, None, None, [1, 3], [1, 3]))
    return DeletedFrames(log)


def test_a_list_takes_the_place_of_the_one_before(log: MemoryLog, deleted: DeletedFrames) -> None:
    deleted.replace(ANN, 7, [9, 3, 0])
    assert log.then == [
        FramesDeleted(7, None, None, [0, 9], [0, 1, 3, 9]),
        FramesRestored(7, None, None, [1], [0, 3, 9]),
    ]


def test_a_job_leaves_other_frames_alone(log: MemoryLog, deleted: DeletedFrames) -> None:
    deleted.replace_in_job(ANN, 5, [6])
    assert log.then == [FramesDeleted(7, None, 5, [6], [1, 3, 6]), FramesRestored(7, None, 5, [3], [1, 6])]


def test_a_ground_truth_job_has_but_some_frames(log: MemoryLog, deleted: DeletedFrames) -> None:
    log.given(given.job(8, 7, (0, 9), type="ground_truth"), ValidationSetUp(7, None, 8, "gt", [2, 4], None))
    deleted.replace_in_job(ANN, 8, [4])
    assert log.then == [FramesDeleted(7, None, 8, [4], [1, 3, 4])]
    with pytest.raises(Invalid):
        deleted.replace_in_job(ANN, 8, [3])


@pytest.mark.parametrize("wanted", [[1, 3], [3, 1]])
def test_what_is_so_already_is_not_recorded(log: MemoryLog, deleted: DeletedFrames, wanted: list[int]) -> None:
    deleted.replace(ANN, 7, wanted)
    assert log.then == []


@pytest.mark.parametrize("wanted", [[10], [-1], [0, 0]])
def test_wrong_frames_are_refused(log: MemoryLog, deleted: DeletedFrames, wanted: list[int]) -> None:
    with pytest.raises(Invalid) as refusal:
        deleted.replace(ANN, 7, wanted)
    assert list(refusal.value.detail) == ["deleted_frames"]
    with pytest.raises(Invalid):
        deleted.replace_in_job(ANN, 5, [1])
    assert log.then == []


def test_without_data_or_task_there_are_none(log: MemoryLog, deleted: DeletedFrames) -> None:
    log.given(given.task(9))
    with pytest.raises(NotFound):
        deleted.replace(ANN, 9, [])
    log.given(JobDeleted(5, 7, None, "annotation", "new"))
    with pytest.raises(NotFound):
        deleted.replace_in_job(ANN, 5, [])
    log.given(TaskDeleted(7, None, "cats", [5], []))
    with pytest.raises(NotFound):
        deleted.replace(ANN, 7, [])


@hypothesis_given(now=frames, part=frames, data=st.data())
def test_after_a_change_exactly_the_wanted_frames_of_the_part_are_deleted(
    now: frozenset[int], part: frozenset[int], data: st.DataObject
) -> None:
    wanted = data.draw(st.lists(st.sampled_from(sorted(part)), unique=True) if part else st.just([]))
    bodies = change(Part(7, None, None, part, now), wanted)
    after = bodies[-1].deleted_frames if bodies else sorted(now)  # type: ignore[attr-defined]
    assert after == sorted((now - part) | set(wanted))
    for body in bodies:
        assert body.frames  # type: ignore[attr-defined]
