"""Picking the frames that annotators' work is checked on, as CVAT does: the same seed picks the same frames."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from numpy.random import MT19937, Generator

from domain.data_params import FrameSelectionMethod
from domain.errors import Invalid
from domain.sorting import listed
from domain.splitting import Segment


class Unpickable(Invalid):
    """Frames cannot be picked as asked."""

    def __init__(self, message: str) -> None:
        super().__init__([message])
        self.args = (message,)


@dataclass(frozen=True, slots=True)
class Amount:
    """How many frames: `count`, or else a `share` in (0, 1] of them, at least one."""

    count: int | None = None
    share: float | None = None

    def of(self, total: int) -> int:
        """Raises Unpickable when neither is given."""
        if self.count is not None:
            return self.count
        if self.share is None:
            raise Unpickable("The number of validation frames is not specified")
        return max(1, int(self.share * total))


@dataclass(frozen=True, slots=True)
class Selectable:
    """A task's frames, as they can be picked from: numbered 0 to `size` - 1, without those that were deleted.
    `segments`: of the annotation jobs, of which neighbours share `overlap` frames; all are of `segment_size`, unless
    that is 0.
    """

    size: int
    segment_size: int
    overlap: int
    segments: Sequence[Segment]
    deleted: Collection[int] = frozenset()


def generator(seed: int) -> Generator:
    """Named in full, so that no other version of numpy picks other frames."""
    return Generator(MT19937(seed))


def choose(frames: Sequence[int], count: int, rng: Generator) -> list[int]:
    """Different ones, in no order."""
    chosen: list[int] = rng.choice(frames, size=count, shuffle=False, replace=False).tolist()
    return chosen


@dataclass(frozen=True, slots=True)
class Sampling:
    """How frames are picked. `amount`: of the task's frames, or with the method random_per_job of each job's."""

    method: FrameSelectionMethod
    amount: Amount
    seed: int
    frames: Sequence[int] = ()


def pick(frames: Selectable, how: Sampling) -> list[int]:
    """Ascending. Raises Unpickable."""
    if how.method == "manual":
        return pick_by_hand(frames, how.frames)
    if how.method == "random_per_job":
        return pick_per_job(frames, how.amount, how.seed)
    return pick_uniform(frames, how.amount, how.seed)


def pick_uniform(frames: Selectable, amount: Amount, seed: int) -> list[int]:
    """Frames of the whole task, ascending. Raises Unpickable when there are too few."""
    selectable = [frame for frame in range(frames.size) if frame not in frames.deleted]
    count = amount.of(len(selectable))
    if count > len(selectable):
        raise Unpickable(
            f"The number of frames requested ({count}) must not be greater than the number of the task frames"
            f" ({len(selectable)})"
        )
    return sorted(choose(selectable, count, generator(seed)))


def pick_per_job(frames: Selectable, amount: Amount, seed: int) -> list[int]:
    """So many frames of each annotation job, ascending; all of a job that has no more. What a job shares with the one
    before it is not picked for it, but counts if it was picked for that one.
    """
    rng = generator(seed)
    picked: set[int] = set()
    for segment in frames.segments:
        own = [frame for frame in range(segment.start, segment.stop + 1) if frame not in frames.deleted]
        wanted = min(len(own), amount.of(frames.segment_size or segment.size))
        first = segment.start + (frames.overlap if segment.start else 0)
        selectable = [frame for frame in own if frame >= first and frame not in picked]
        missing = min(wanted - len(picked.intersection(own)), len(selectable))
        if missing > 0:
            picked.update(choose(selectable, missing, rng))
    return sorted(picked)


def pick_by_hand(frames: Selectable, wanted: Sequence[int]) -> list[int]:
    """Just these frames, ascending. Raises Unpickable for one that is not there, or is given twice."""
    unique = sorted(set(wanted))
    if not unique:
        raise Unpickable("The list of validation frames is empty")
    if len(unique) < len(wanted):
        raise Unpickable("Frames must not repeat")
    if strange := [str(frame) for frame in unique if not 0 <= frame < frames.size or frame in frames.deleted]:
        raise Unpickable(f"The following frames are not included in the task: {listed(strange)}")
    return unique
