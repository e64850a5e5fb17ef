"""Which objects of two jobs are the same one, held twice because the jobs overlap.

As in CVAT each object has at most one counterpart, of the same label (and type), and alike enough; the thresholds are
CVAT's. Equal ones are paired first, so that copies made by a task-level write always find each other; the others by
falling likeness (CVAT solves for the best sum).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Hashable, Iterator, Sequence
from itertools import product
from math import hypot
from operator import itemgetter
from typing import Any

from domain.annotation.document import Item
from domain.annotation.interpolation import visible_at
from domain.annotation.similarity import attribute_set, box_of, cost, flags_of, likeness, same_state

SHAPE_THRESHOLD = 0.75
TRACK_THRESHOLD = 0.5
SAMPLES = 16
"""Tracks are compared on at most so many frames of an overlap."""

BUDGET = 40_000_000
"""The work that one merge may spend on likeness, about four seconds. What is left when it is spent counts as different;
equal objects cost nothing."""

GLANCE_COST = 3
_REACH = 0.25

Pairs = list[tuple[int, int]]
"""Index among the old, index among the new."""

Scored = list[tuple[tuple[float, ...], int, int]]


class Matcher:
    """Pairs objects within the budget of one merge."""

    def __init__(self, budget: int = BUDGET) -> None:
        self._budget = budget

    def tags(self, old: Sequence[Item], new: Sequence[Item]) -> Pairs:
        """Of one frame: equal ones, then by label alone, as CVAT does."""
        pairs = _equal(old, new, fingerprint, [])
        return pairs + _equal(old, new, itemgetter("label_id"), pairs)

    def shapes(self, old: Sequence[Item], new: Sequence[Item]) -> Pairs:
        """Of one frame."""
        pairs = _equal(old, new, fingerprint, [])
        if len(pairs) == min(len(old), len(new)):
            return pairs
        old_extents, new_extents = [_extent(item) for item in old], [_extent(item) for item in new]
        scored: Scored = []
        for i, j in self._affordable(old, new, pairs):
            if old[i]["label_id"] == new[j]["label_id"] and _near(old_extents[i], new_extents[j]):
                self._budget -= cost(old[i], new[j])
                scored.append(((likeness(old[i], new[j]),), i, j))
        return pairs + _best(scored, SHAPE_THRESHOLD)

    def tracks(self, old: Sequence[tuple[Item, int]], new: Sequence[Item], first: int, last: int) -> Pairs:
        """By what they show from frame `first` to `last`, the overlap. Each old track comes with the last frame of its
        job, after which it does not count.
        """
        frames = _sampled(first, last)
        old_views = [_View(track, [frame if frame <= reach else None for frame in frames]) for track, reach in old]
        new_views = [_View(track, frames) for track in new]
        pairs = _equal(old_views, new_views, _View.fingerprint, [])
        scored = [
            (self._likeness_of_views(old_views[i], new_views[j]), i, j)
            for i, j in self._affordable(old_views, new_views, pairs)
            if old_views[i].track["label_id"] == new_views[j].track["label_id"]
        ]
        return pairs + _best(scored, TRACK_THRESHOLD)

    def _affordable(self, old: Sequence[Any], new: Sequence[Any], pairs: Pairs) -> Iterator[tuple[int, int]]:
        """Every combination of what is not paired yet, while the budget lasts."""
        old_taken, new_taken = {i for i, _ in pairs}, {j for _, j in pairs}
        old_left = [i for i in range(len(old)) if i not in old_taken]
        new_left = [j for j in range(len(new)) if j not in new_taken]
        for combination in product(old_left, new_left):
            self._budget -= GLANCE_COST
            if self._budget < 0:
                return
            yield combination

    def _likeness_of_views(self, old: _View, new: _View) -> tuple[float, ...]:
        """Mean likeness over the frames where either shows, as CVAT counts it; then, to tell equals apart, the share of
        frames on which everything agrees, and whether the tracks' own fields do.
        """
        total, agreed, count = 0.0, 0, 0
        for one, other in zip(old.states, new.states, strict=True):
            count += one is not None or other is not None
            if one is not None and other is not None:
                self._budget -= cost(one, other)
                total += likeness(one, other)
                agreed += same_state(one, other)
        return (total / count, agreed / count, float(old.own == new.own)) if count else (0.0,)


class _View:
    """What a track shows on some frames (None: on none)."""

    def __init__(self, track: Item, frames: Sequence[int | None]) -> None:
        self.track = track
        self.states = [None if frame is None else visible_at(track, frame) for frame in frames]
        self.own = (track["label_id"], track["group"], track["source"], attribute_set(track))

    def fingerprint(self) -> Hashable:
        """Equal for tracks that show the same but for rounding. None, which matches nothing, if one never shows."""
        if not any(self.states):
            return None
        return (self.own, tuple(state and _rounded(state) for state in self.states))


def fingerprint(item: Item) -> Hashable:
    """Equal for tags, shapes or intervals that differ in nothing but ids."""
    elements = tuple(fingerprint(element) for element in item.get("elements", ()))
    own = (item["label_id"], item["group"], item["source"], attribute_set(item))
    return (*own, *(item.get(name) for name in _PLAIN), tuple(item.get("points", ())), elements)


_PLAIN = ("frame", "type", "rotation", "score", "occluded", "outside", "z_order", "start", "stop")


def _sampled(first: int, last: int) -> Sequence[int]:
    """At most `SAMPLES` frames from first to last, both included, evenly spread."""
    if last - first < SAMPLES:
        return range(first, last + 1)
    return [first + position * (last - first) // (SAMPLES - 1) for position in range(SAMPLES)]


def _equal(old: Sequence[Any], new: Sequence[Any], key: Callable[[Any], Hashable], pairs: Pairs) -> Pairs:
    """Pairs of equal keys among what `pairs` leaves over, the earlier objects first; a key of None matches nothing."""
    old_taken, new_taken = {i for i, _ in pairs}, {j for _, j in pairs}
    waiting: defaultdict[Hashable, list[int]] = defaultdict(list)
    for i in reversed(range(len(old))):
        if i not in old_taken:
            waiting[key(old[i])].append(i)
    waiting.pop(None, None)
    found = []
    for j, item in enumerate(new):
        twins = waiting.get(key(item)) if j not in new_taken else None
        if twins:
            found.append((twins.pop(), j))
    return found


def _best(scored: Scored, threshold: float) -> Pairs:
    """One counterpart each, the highest score first; of equal ones the earlier objects."""
    worthy = [entry for entry in scored if entry[0][0] >= threshold]
    worthy.sort(key=lambda entry: (tuple(-part for part in entry[0]), entry[1], entry[2]))
    old_taken: set[int] = set()
    new_taken: set[int] = set()
    pairs = []
    for _, i, j in worthy:
        if i not in old_taken and j not in new_taken:
            old_taken.add(i)
            new_taken.add(j)
            pairs.append((i, j))
    return pairs


def _extent(item: Item) -> tuple[float, float, float]:
    """Centre and diagonal of the box."""
    left, top, right, bottom = box_of(item)
    return (left + right) / 2, (top + bottom) / 2, hypot(right - left, bottom - top)


def _near(one: tuple[float, float, float], other: tuple[float, float, float]) -> bool:
    """False for figures whose boxes lie too far apart to be alike enough."""
    return hypot(one[0] - other[0], one[1] - other[1]) <= _REACH * max(one[2], other[2])


def _rounded(state: Item) -> Hashable:
    points = tuple(round(number, 3) for number in state["points"])
    elements = tuple((element["label_id"], _rounded(element)) for element in state.get("elements", ()))
    return (state["type"], points, round(state["rotation"], 3), flags_of(state), elements)
