"""Honeypots: frames with known annotations among those of each job, which the annotator cannot tell from the others."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.random import Generator

from domain.validation.selection import Unpickable, generator

TAKEN = np.iinfo(np.int64).max


class BalancedDraw:
    """Draws from a pool, job by job: never an item twice for one job, the least used items first, so that all are used
    equally often; among equals by chance. As CVAT's, so that a seed gives the same honeypots.
    """

    def __init__(self, uses: Sequence[int], rng: Generator) -> None:
        """`uses`: how often each item of the pool is in use already."""
        self._uses = np.array(uses, dtype=np.int64)
        self._rng = rng

    def draw(self, count: int) -> list[int]:
        """Positions in the pool, for one job. Raises Unpickable when the pool is smaller than `count`."""
        if count > len(self._uses):
            raise Unpickable(
                f"The number of validation frames per job ({count}) is greater than the validation pool size"
                f" ({len(self._uses)})"
            )
        left = self._uses.copy()
        drawn = []
        for chance in self._rng.random(count):
            least_used = np.flatnonzero(left == left.min())
            position = int(least_used[int(chance * len(least_used))])
            left[position] = TAKEN
            drawn.append(position)
        self._uses[drawn] += 1
        return drawn


@dataclass(frozen=True, slots=True)
class Arrangement:
    """A task's frames with honeypots among them. `sources`: for each frame of the task, the picture that it shows, by
    its number among those that were sent. `lengths`: of the jobs, in frames; the pool is what comes after them.
    `honeypots`: frame → the frame of the pool that shows the same.
    """

    sources: list[int]
    lengths: list[int]
    honeypots: dict[int, int]

    @property
    def pool(self) -> range:
        """The frames of the ground truth job."""
        return range(sum(self.lengths), len(self.sources))


def arrange(total: int, pool: Sequence[int], segment_size: int, per_job: int, rng: Generator, seed: int) -> Arrangement:
    """Sets the `pool` aside from `total` pictures, and cuts the others, shuffled, into jobs of `segment_size` (0: one
    job), each with `per_job` honeypots at places of chance. `rng` goes on from where the pool was drawn; places come
    from a generator of their own, of the same seed. Raises Unpickable when there is nothing left to annotate.
    """
    others = sorted(set(range(total)).difference(pool))
    if not others:
        raise Unpickable("All frames are validation frames: none is left to annotate")
    rng.shuffle(others)
    draw, places = BalancedDraw([0] * len(pool), rng), generator(seed)
    size = segment_size or total
    sources: list[int] = []
    lengths: list[int] = []
    shown: dict[int, int] = {}  # honeypot → position in the pool
    for start in range(0, len(others), size):
        job: list[tuple[int, int | None]] = [(source, None) for source in others[start : start + size]]
        job += [(pool[position], position) for position in draw.draw(per_job)]
        order = list(range(len(job)))
        places.shuffle(order)
        for frame, (source, position) in enumerate((job[index] for index in order), len(sources)):
            sources.append(source)
            if position is not None:
                shown[frame] = position
        lengths.append(len(job))
    first = len(sources)
    honeypots = {frame: first + position for frame, position in shown.items()}
    return Arrangement([*sources, *pool], lengths, honeypots)
