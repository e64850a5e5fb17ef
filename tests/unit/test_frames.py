"""Frame numbers and chunks."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid, MediaError
from domain.frames import (
    Selection,
    chunk_by_index,
    chunk_by_number,
    chunk_count,
    chunk_of,
    default_chunk_size,
    select_frames,
    sparse_chunk_by_number,
)

chunk_sizes = st.integers(1, 80)


@pytest.mark.parametrize(
    ("start", "stop", "step", "numbers"),
    [
        (0, None, 1, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]),
        (2, None, 1, [2, 3, 4, 5, 6, 7, 8, 9]),
        (0, 4, 1, [0, 1, 2, 3, 4]),
        (1, 7, 3, [1, 4, 7]),
        (1, 6, 3, [1, 4]),
        (0, 99, 4, [0, 4, 8]),
        (9, None, 5, [9]),
        (3, 3, 1, [3]),
        (4, 0, 2, [4, 6, 8]),
    ],
)
def test_images_are_selected_by_start_stop_and_step(
    start: int, stop: int | None, step: int, numbers: list[int]
) -> None:
    selection = select_frames(10, start, stop, step, video=False)
    assert list(selection.numbers) == numbers
    assert selection == Selection(start, step, len(numbers))
    assert selection.stop == numbers[-1]


def test_a_stop_of_zero_is_not_set_for_images_and_the_first_frame_for_a_video() -> None:
    assert select_frames(10, stop=0, video=False).size == 10
    assert select_frames(10, stop=0, video=True).size == 1


@pytest.mark.parametrize(("total", "start", "stop"), [(0, 0, None), (10, 10, None), (10, 5, 4)])
def test_selecting_nothing_is_an_error_that_tells_the_numbers(total: int, start: int, stop: int | None) -> None:
    with pytest.raises(MediaError, match=rf"start_frame is {start}, and the last of {total} frames is"):
        select_frames(total, start, stop, video=False)


@given(st.integers(1, 500), st.integers(0, 500), st.none() | st.integers(1, 600), st.integers(1, 50))
def test_a_selection_is_what_counting_by_hand_gives(total: int, start: int, stop: int | None, step: int) -> None:
    by_hand = [n for n in range(total) if n >= start and (stop is None or n <= stop) and (n - start) % step == 0]
    if not by_hand:
        with pytest.raises(MediaError):
            select_frames(total, start, stop, step, video=False)
        return
    selection = select_frames(total, start, stop, step, video=False)
    assert list(selection.numbers) == by_hand
    assert [selection.absolute(frame) for frame in range(selection.size)] == by_hand


@pytest.mark.parametrize(
    ("width", "height", "frames"),
    [
        (1920, 1080, 36),
        (1280, 720, 72),
        (640, 480, 72),
        (3840, 2160, 9),
        (1921, 1080, 35),
        (8000, 6000, 2),
        (100_000, 100_000, 2),
        (1, 1, 72),
    ],
)
def test_default_chunk_size_of_images(width: int, height: int, frames: int) -> None:
    assert default_chunk_size(width, height) == frames


def test_default_chunk_size_of_a_video() -> None:
    assert default_chunk_size(640, 480, video=True) == 36


@pytest.mark.parametrize(("size", "chunk_size", "count"), [(1, 72, 1), (72, 72, 1), (73, 72, 2), (10, 3, 4), (0, 3, 0)])
def test_chunk_count(size: int, chunk_size: int, count: int) -> None:
    assert chunk_count(size, chunk_size) == count


@given(st.integers(1, 1000), chunk_sizes)
def test_the_chunks_of_a_task_hold_each_frame_once(size: int, chunk_size: int) -> None:
    chunks = [chunk_by_index(range(size), chunk_size, index) for index in range(chunk_count(size, chunk_size))]
    assert [frame for chunk in chunks for frame in chunk] == list(range(size))
    assert all(chunk_of(frame, chunk_size) == index for index, chunk in enumerate(chunks) for frame in chunk)
    assert all(len(chunk) == chunk_size for chunk in chunks[:-1])


def test_a_job_has_its_own_chunks_and_parts_of_the_tasks() -> None:
    job = range(5, 14)
    assert [chunk_by_index(job, 4, index) for index in range(3)] == [range(5, 9), range(9, 13), range(13, 14)]
    assert [chunk_by_number(job, 4, number) for number in (1, 2, 3)] == [range(5, 8), range(8, 12), range(12, 14)]
    assert chunk_of(9, 4, first=5) == 1


@given(st.integers(0, 300), st.integers(1, 200), chunk_sizes)
def test_both_ways_of_asking_give_the_whole_job(start: int, size: int, chunk_size: int) -> None:
    job = range(start, start + size)
    by_index = [chunk_by_index(job, chunk_size, index) for index in range(chunk_count(size, chunk_size))]
    numbers = range(chunk_of(start, chunk_size), chunk_of(start + size - 1, chunk_size) + 1)
    by_number = [chunk_by_number(job, chunk_size, number) for number in numbers]
    assert [frame for chunk in by_index for frame in chunk] == list(job)
    assert [frame for chunk in by_number for frame in chunk] == list(job)
    assert all(chunk_of(frame, chunk_size) == n for n, chunk in zip(numbers, by_number, strict=True) for frame in chunk)


def test_sparse_frames_are_chunked_too() -> None:
    picked = [1, 5, 6, 11]
    assert chunk_by_index(picked, 2, 1) == [6, 11]
    assert sparse_chunk_by_number(picked, 12, 5, 0) == [None, 1, None, None, None]
    assert sparse_chunk_by_number(picked, 12, 5, 2) == [None, 11]
    assert sparse_chunk_by_number([1], 12, 5, 1) == [None] * 5
    with pytest.raises(Invalid, match="Chunk 3 does not exist: there are 3"):
        sparse_chunk_by_number(picked, 12, 5, 3)


@pytest.mark.parametrize("index", [-1, 3])
def test_a_chunk_that_does_not_exist(index: int) -> None:
    with pytest.raises(Invalid, match=f"Chunk {index} does not exist: there are 3"):
        chunk_by_index(range(5, 14), 4, index)


@pytest.mark.parametrize("number", [-1, 0, 4])
def test_a_chunk_of_the_task_without_frames_of_the_job(number: int) -> None:
    with pytest.raises(Invalid, match=f"Chunk {number} of the task has no frames of this job"):
        chunk_by_number(range(5, 14), 4, number)
