"""Honeypots (CVAT contract 3.4): so many in each job, balanced, and in places that a seed tells."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.random import MT19937, Generator

from domain.validation.honeypots import Arrangement, BalancedDraw, arrange
from domain.validation.selection import Unpickable, generator

SEEDS = st.integers(0, 2**63 - 1)


def drawn_as_cvat_does(counts: dict[int, int], count: int, rng: Generator) -> list[int]:
    """The rule, one item at a time: among the least used that are not drawn yet, the one that chance says."""
    pick: list[int] = []
    for chance in rng.random(count):
        least = min(uses for frame, uses in counts.items() if frame not in pick)
        candidates = [frame for frame, uses in counts.items() if frame not in pick and uses == least]
        pick.append(candidates[int(chance * len(candidates))])
        counts[pick[-1]] += 1
    return pick


@given(st.lists(st.integers(0, 5), min_size=1, max_size=12), st.data(), SEEDS)
def test_the_least_used_are_drawn_by_chance(uses: list[int], data: st.DataObject, seed: int) -> None:
    jobs = data.draw(st.lists(st.integers(0, len(uses)), max_size=8))
    draw, rng, counts = BalancedDraw(uses, generator(seed)), generator(seed), dict(enumerate(uses))
    assert [draw.draw(count) for count in jobs] == [drawn_as_cvat_does(counts, count, rng) for count in jobs]


@given(st.integers(1, 12), st.data(), SEEDS)
def test_uses_differ_by_one_at_most(size: int, data: st.DataObject, seed: int) -> None:
    jobs = data.draw(st.lists(st.integers(0, size), min_size=1, max_size=20))
    draw = BalancedDraw([0] * size, generator(seed))
    uses = Counter(position for count in jobs for position in draw.draw(count))
    assert max(uses.values(), default=0) - min((uses[n] for n in range(size)), default=0) <= 1


def test_a_pool_that_is_too_small_is_refused() -> None:
    with pytest.raises(Unpickable, match=r"per job \(3\) is greater than the validation pool size \(2\)"):
        BalancedDraw([0, 0], generator(1)).draw(3)


@st.composite
def wishes(draw: st.DrawFn) -> dict[str, Any]:
    total = draw(st.integers(2, 60))
    pool = draw(st.lists(st.integers(0, total - 1), min_size=1, max_size=total - 1, unique=True))
    return {
        "total": total,
        "pool": pool,
        "segment_size": draw(st.integers(0, 10)),
        "per_job": draw(st.integers(1, len(pool))),
        "seed": draw(SEEDS),
    }


def arranged(wish: dict[str, Any]) -> Arrangement:
    return arrange(**wish, rng=generator(wish["seed"]))


@given(wishes())
def test_every_picture_is_there_and_every_job_has_its_honeypots(wish: dict[str, Any]) -> None:
    result = arranged(wish)
    pool, per_job, size = wish["pool"], wish["per_job"], wish["segment_size"] or wish["total"]
    assert [result.sources[frame] for frame in result.pool] == pool
    assert len(result.sources) == sum(result.lengths) + len(pool)
    own = [source for frame, source in enumerate(result.sources) if frame not in result.honeypots]
    assert sorted(own) == list(range(wish["total"]))
    others = wish["total"] - len(pool)
    assert result.lengths == [min(size, others - start) + per_job for start in range(0, others, size)]
    first = 0
    for length in result.lengths:
        shown = [real for frame, real in result.honeypots.items() if first <= frame < first + length]
        assert len(shown) == len(set(shown)) == per_job
        first += length
    for frame, real in result.honeypots.items():
        assert result.sources[frame] == result.sources[real]
        assert real in result.pool
        assert frame not in result.pool
    uses = Counter(result.honeypots.values())
    assert max(uses.values()) - min(uses[frame] for frame in result.pool) <= 1
    assert arranged(wish) == result


@given(wishes())
def test_places_are_those_of_a_second_generator_of_the_same_seed(wish: dict[str, Any]) -> None:
    rng = generator(wish["seed"])
    others = sorted(set(range(wish["total"])).difference(wish["pool"]))
    rng.shuffle(others)
    uses, places = dict.fromkeys(wish["pool"], 0), Generator(MT19937(wish["seed"]))
    expected: list[int] = []
    size = wish["segment_size"] or wish["total"]
    for start in range(0, len(others), size):
        job = [*others[start : start + size], *drawn_as_cvat_does(uses, wish["per_job"], rng)]
        places.shuffle(job)
        expected += job
    assert arranged(wish).sources == [*expected, *wish["pool"]]


def test_a_pool_of_everything_is_refused() -> None:
    with pytest.raises(Unpickable, match="none is left to annotate"):
        arrange(3, [2, 0, 1], 0, 1, generator(1), 1)


def test_thousands_of_jobs_share_a_large_pool_equally() -> None:
    pool = np.random.default_rng(1).permutation(50_000)[:1_000].tolist()
    result = arrange(50_000, pool, 10, 3, generator(1), 1)
    assert len(result.lengths) == 4_900
    assert set(Counter(result.honeypots.values()).values()) == {14, 15}
