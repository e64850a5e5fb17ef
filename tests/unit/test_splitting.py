"""Cutting frames into jobs: the rules of CVAT, and what they promise for any size."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from domain.errors import MediaError
from domain.splitting import MAX_JOBS, NO_MEDIA, Segment, Split, effective_overlap, split_by_files, split_evenly

sizes = st.integers(1, 3000)
overlaps = st.none() | st.integers(0, 4000)


@pytest.mark.parametrize(
    ("size", "segment_size", "overlap", "stored", "segments"),
    [
        (10, 4, 0, (4, 0), [(0, 3), (4, 7), (8, 9)]),
        (10, 4, 1, (4, 1), [(0, 3), (3, 6), (6, 9)]),
        (10, 4, 9, (4, 2), [(0, 3), (2, 5), (4, 7), (6, 9)]),
        (5, 5, None, (5, 0), [(0, 4)]),
        (3, 1, 7, (1, 0), [(0, 0), (1, 1), (2, 2)]),
        (11, 4, 1, (4, 1), [(0, 3), (3, 6), (6, 9), (9, 10)]),
        (7, 0, None, (7, 0), [(0, 6)]),
        (7, 100, None, (7, 0), [(0, 6)]),
        (7, 100, 50, (7, 3), [(0, 6)]),
        (1, 0, None, (1, 0), [(0, 0)]),
    ],
)
def test_worked_examples(
    size: int, segment_size: int, overlap: int | None, stored: tuple[int, int], segments: list[tuple[int, int]]
) -> None:
    split = split_evenly(size, segment_size, overlap)
    assert (split.segment_size, split.overlap) == stored
    assert list(split.segments) == segments


@pytest.mark.parametrize(
    ("size", "segment_size", "overlap", "expected"),
    [
        (100, 20, None, 5),
        (100, 6, None, 5),
        (20, 20, None, 0),
        (10, 20, None, 0),
        (100, 0, None, 0),
        (100, 20, 0, 0),
        (100, 20, 3, 3),
        (100, 20, 11, 10),
        (100, 5, None, 2),
        (100, 1, None, 0),
    ],
)
def test_the_overlap_of_a_video(size: int, segment_size: int, overlap: int | None, expected: int) -> None:
    assert split_evenly(size, segment_size, overlap, video=True).overlap == expected


def test_a_video_is_cut_with_its_default_overlap() -> None:
    assert list(split_evenly(25, 10, video=True).segments) == [(0, 9), (5, 14), (10, 19), (15, 24)]


def test_a_segment_knows_its_size_and_is_a_pair() -> None:
    start, stop = Segment(3, 6)
    assert (start, stop, Segment(3, 6).size) == (3, 6, 4)


@given(sizes, st.integers(0, 4000), overlaps, st.booleans())
def test_every_frame_is_covered_in_order_with_the_exact_overlap(
    size: int, segment_size: int, overlap: int | None, video: bool
) -> None:
    split = split_evenly(size, segment_size, overlap, video=video, max_jobs=size)
    segments = split.segments
    assert segments[0].start == 0
    assert segments[-1].stop == size - 1
    assert {frame for start, stop in segments for frame in range(start, stop + 1)} == set(range(size))
    for before, after in pairwise(segments):
        assert before.stop - after.start + 1 == split.overlap
        assert after.stop > before.stop
    assert all(segment.size == split.segment_size for segment in segments[:-1])
    assert split.overlap < segments[-1].size or len(segments) == 1


@given(sizes, st.integers(0, 4000), overlaps, st.booleans())
def test_the_number_of_jobs_follows_from_the_effective_sizes(
    size: int, segment_size: int, overlap: int | None, video: bool
) -> None:
    split = split_evenly(size, segment_size, overlap, video=video, max_jobs=size)
    step = split.segment_size - split.overlap
    assert len(split.segments) == math.ceil((size - split.overlap) / step)


@given(sizes, st.integers(0, 4000), overlaps, st.booleans())
def test_the_stored_sizes_are_effective_and_give_the_same_split_again(
    size: int, segment_size: int, overlap: int | None, video: bool
) -> None:
    split = split_evenly(size, segment_size, overlap, video=video, max_jobs=size)
    assert 1 <= split.segment_size <= size
    if overlap is not None:
        assert split.overlap == min(overlap, split.segment_size // 2)
        again = split_evenly(size, split.segment_size, split.overlap, video=video, max_jobs=size)
        assert again == split


@given(st.integers(1, 3000), st.integers(1, 3000))
def test_a_video_never_has_a_default_overlap_that_leaves_no_new_frame(size: int, segment_size: int) -> None:
    assume(segment_size <= size)
    assert 0 <= effective_overlap(size, segment_size, None, video=True) < segment_size


def test_the_limit_counts_replicas_and_says_what_would_have_been() -> None:
    assert len(split_evenly(MAX_JOBS, 1).segments) == MAX_JOBS
    with pytest.raises(MediaError, match=r"would have 5001 jobs; at most 5000"):
        split_evenly(MAX_JOBS + 1, 1)
    assert len(split_evenly(1000, 1, replicas=4).segments) == 1000
    with pytest.raises(MediaError, match=r"5005 jobs \(1001 segments with 4 replicas each\); at most 5000"):
        split_evenly(1001, 1, replicas=4)
    with pytest.raises(MediaError, match="at most 2"):
        split_by_files([["a"], ["b"], ["c"]], max_jobs=2)


def test_a_hopeless_request_is_refused_without_being_cut_first() -> None:
    with pytest.raises(MediaError, match="10000000000000 jobs"):
        split_evenly(10**13, 1)


def test_without_frames_there_is_nothing_to_split() -> None:
    with pytest.raises(MediaError, match=NO_MEDIA):
        split_evenly(0, 4)


def test_a_file_mapping_makes_a_job_per_list() -> None:
    split = split_by_files([["1.jpg", "2.jpg"], ["3.png"], ["4.jpg", "5.png", "6.bmp"]])
    assert split == Split(0, 0, (Segment(0, 1), Segment(2, 2), Segment(3, 5)))


@given(st.lists(st.integers(1, 50), min_size=1, max_size=100))
def test_mapped_jobs_follow_each_other_without_gap_or_overlap(lengths: list[int]) -> None:
    split = split_by_files([[f"{job}-{file}" for file in range(length)] for job, length in enumerate(lengths)])
    assert [segment.size for segment in split.segments] == lengths
    frames = [frame for start, stop in split.segments for frame in range(start, stop + 1)]
    assert frames == list(range(sum(lengths)))


@pytest.mark.parametrize("jobs", [[], [[]], [["a"], []]])
def test_an_empty_file_mapping_is_refused(jobs: list[list[str]]) -> None:
    with pytest.raises(MediaError, match="job_file_mapping must not be empty"):
        split_by_files(jobs)
