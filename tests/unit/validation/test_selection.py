"""Which frames ground truth is picked from (CVAT contract 3.4): how many, which never, and the same ones every time."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from numpy.random import MT19937, Generator

from domain.splitting import split_evenly
from domain.validation.selection import Amount, Sampling, Selectable, Unpickable, pick

SEEDS = st.integers(0, 2**63 - 1)
SHARES = st.floats(0, 1, exclude_min=True)
AMOUNTS = st.one_of(st.builds(Amount, count=st.integers(1, 50)), st.builds(Amount, share=SHARES))


@st.composite
def tasks(draw: st.DrawFn) -> Selectable:
    """Any task as CVAT would cut it, with some frames deleted."""
    size = draw(st.integers(1, 60))
    split = split_evenly(size, draw(st.integers(0, 12)), draw(st.integers(0, 6)))
    deleted = frozenset(draw(st.sets(st.integers(0, size - 1), max_size=size // 3)))
    return Selectable(size, split.segment_size, split.overlap, split.segments, deleted)


def left(frames: Selectable) -> list[int]:
    return [frame for frame in range(frames.size) if frame not in frames.deleted]


@given(tasks(), AMOUNTS, SEEDS)
def test_uniform_picks_so_many_different_frames(frames: Selectable, amount: Amount, seed: int) -> None:
    how = Sampling("random_uniform", amount, seed)
    open_frames = left(frames)
    if amount.of(len(open_frames)) > len(open_frames):
        with pytest.raises(Unpickable):
            pick(frames, how)
        return
    picked = pick(frames, how)
    assert len(picked) == amount.of(len(open_frames))
    assert picked == sorted(set(picked))
    assert set(picked) <= set(open_frames)
    assert pick(frames, how) == picked


@given(st.integers(1, 200), SEEDS, st.data())
def test_uniform_picks_what_cvat_picks(size: int, seed: int, data: st.DataObject) -> None:
    count = data.draw(st.integers(1, size))
    split = split_evenly(size, 0)
    picked = pick(Selectable(size, size, 0, split.segments), Sampling("random_uniform", Amount(count), seed))
    expected = Generator(MT19937(seed)).choice(range(size), size=count, shuffle=False, replace=False)
    assert picked == sorted(expected.tolist())


@given(tasks(), AMOUNTS, SEEDS)
def test_each_job_gets_its_number_but_none_of_what_it_shares(frames: Selectable, amount: Amount, seed: int) -> None:
    how = Sampling("random_per_job", amount, seed)
    picked = pick(frames, how)
    assert picked == sorted(set(picked))
    assert set(picked) <= set(left(frames))
    assert pick(frames, how) == picked
    for segment in frames.segments:
        own = {frame for frame in left(frames) if segment.start <= frame <= segment.stop}
        alone = {frame for frame in own if frame >= segment.start + frames.overlap or segment.start == 0}
        wanted = min(len(own), amount.of(frames.segment_size))
        # What was picked for a neighbour in the shared part counts, too; it may be more than was wanted here.
        shared = len(own.intersection(picked)) - len(alone.intersection(picked))
        assert len(alone.intersection(picked)) <= wanted
        assert len(own.intersection(picked)) >= min(wanted, len(alone) + shared)


@given(tasks(), st.integers(1, 10), SEEDS)
def test_without_overlap_each_job_gets_exactly_so_many(frames: Selectable, count: int, seed: int) -> None:
    assume(frames.overlap == 0)
    picked = set(pick(frames, Sampling("random_per_job", Amount(count), seed)))
    for start, stop in frames.segments:
        own = {frame for frame in left(frames) if start <= frame <= stop}
        assert len(own & picked) == min(count, len(own))


def test_the_shared_part_of_a_job_is_never_picked_for_it() -> None:
    split = split_evenly(100, 10, 5)
    everything = Sampling("random_per_job", Amount(10), 7)
    frames = Selectable(100, 10, 5, split.segments)
    assert pick(frames, everything) == list(range(100))
    half = pick(frames, Sampling("random_per_job", Amount(5), 7))
    per_job = [len([f for f in half if start <= f <= stop]) for start, stop in split.segments]
    assert min(per_job) == 5


def test_a_share_is_at_least_one_frame() -> None:
    split = split_evenly(10, 3)
    frames = Selectable(10, 3, 0, split.segments)
    assert len(pick(frames, Sampling("random_uniform", Amount(share=0.01), 1))) == 1
    assert len(pick(frames, Sampling("random_uniform", Amount(share=0.39), 1))) == 3
    assert len(pick(frames, Sampling("random_per_job", Amount(share=0.34), 1))) == 4
    assert len(pick(frames, Sampling("random_per_job", Amount(share=0.67), 1))) == 7


@given(tasks(), st.data())
def test_by_hand_picks_just_these(frames: Selectable, data: st.DataObject) -> None:
    open_frames = left(frames)
    assume(open_frames)
    wanted = data.draw(st.lists(st.sampled_from(open_frames), min_size=1, unique=True))
    assert pick(frames, Sampling("manual", Amount(), 0, wanted)) == sorted(wanted)


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        ([], "The list of validation frames is empty"),
        ([1, 2, 1], "Frames must not repeat"),
        ([1, 10, 11], "The following frames are not included in the task: 10, 11"),
        ([1, 4], "The following frames are not included in the task: 4"),
    ],
)
def test_by_hand_refuses(wanted: list[int], message: str) -> None:
    frames = Selectable(10, 3, 0, split_evenly(10, 3).segments, frozenset({4}))
    with pytest.raises(Unpickable) as refusal:
        pick(frames, Sampling("manual", Amount(), 0, wanted))
    assert refusal.value.detail == [message]
    assert refusal.value.message == message
