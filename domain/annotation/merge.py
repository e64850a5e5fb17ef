"""Putting the jobs' annotations together as the task's: what overlapping jobs both hold is shown once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from operator import itemgetter

from domain.annotation.document import KINDS, Document, Item
from domain.annotation.matching import Matcher, Pairs, fingerprint
from domain.annotation.seams import closed, joined
from domain.annotation.tracks import frame_of

Part = tuple[int, int, Document]
"""A job's first frame, last frame (inclusive) and annotations."""

Window = tuple[int, int]
"""First and last frame that a job shares with those before it; empty when the last is before the first."""


def merge(parts: Iterable[Part]) -> Document:
    """One document of the documents of a task's jobs, given in job id order. Where jobs overlap, the earlier job's
    object stands for both (a track goes on with the later job's after the overlap). A track ends with its job, unless
    nothing comes after. Sorted by frame; shares objects with its input and changes none of them.
    """
    ordered = sorted(parts, key=itemgetter(0))
    windows = _windows(ordered)
    matcher = Matcher()
    if any(first <= last for first, last in windows):
        merged = {
            "tags": _merge_framed(ordered, windows, "tags", matcher.tags),
            "shapes": _merge_framed(ordered, windows, "shapes", matcher.shapes),
        }
    else:
        merged = {kind: [item for _, _, part in ordered for item in part.get(kind, ())] for kind in ("tags", "shapes")}
    merged["tracks"] = _merge_tracks(ordered, windows, matcher)
    merged["intervals"] = _merge_intervals(ordered)
    for kind in KINDS:
        merged[kind].sort(key=itemgetter("start") if kind == "intervals" else frame_of)
    return merged


def _windows(ordered: Sequence[Part]) -> list[Window]:
    """What each part shares with those before it: they start no later, so one that reaches furthest holds it all."""
    windows = []
    reach = -1
    for start, stop, _ in ordered:
        windows.append((start, min(stop, reach)))
        reach = max(reach, stop)
    return windows


def _merge_framed(
    ordered: Sequence[Part],
    windows: Sequence[Window],
    kind: str,
    pair: Callable[[Sequence[Item], Sequence[Item]], Pairs],
) -> list[Item]:
    """Tags or shapes: frame by frame in the windows, simply added elsewhere."""
    kept: defaultdict[int, list[Item]] = defaultdict(list)
    for (_, _, part), (first, last) in zip(ordered, windows, strict=True):
        fresh: defaultdict[int, list[Item]] = defaultdict(list)
        for item in part.get(kind, ()):
            fresh[item["frame"]].append(item)
        for frame, items in fresh.items():
            if first <= frame <= last and frame in kept:
                known = {j for _, j in pair(kept[frame], items)}
                items = [item for j, item in enumerate(items) if j not in known]
            kept[frame] += items
    return [item for items in kept.values() for item in items]


def _merge_tracks(ordered: Sequence[Part], windows: Sequence[Window], matcher: Matcher) -> list[Item]:
    done: list[Item] = []
    standing: list[tuple[Item, int]] = []  # tracks, each with the last frame of the job that it comes from
    end = max((stop for _, stop, _ in ordered), default=0)
    for (start, stop, part), (first, last) in zip(ordered, windows, strict=True):
        done += [closed(track, reach, end) for track, reach in standing if reach < start]
        standing = [entry for entry in standing if entry[1] >= start]
        fresh = part.get("tracks", [])
        pairs = matcher.tracks(standing, fresh, first, last) if standing and fresh else []
        for i, j in pairs:
            track, reach = standing[i]
            # A job within another one adds nothing to the other's track.
            standing[i] = (joined(track, fresh[j], reach), stop) if stop > reach else (track, reach)
        known = {j for _, j in pairs}
        standing += [(track, stop) for j, track in enumerate(fresh) if j not in known]
    return done + [closed(track, reach, end) for track, reach in standing]


def _merge_intervals(ordered: Sequence[Part]) -> list[Item]:
    """Jobs hold whole copies of an interval that they touch: each is shown as often as the job that has it most."""
    kept: list[Item] = []
    shown: Counter[object] = Counter()
    for _, _, part in ordered:
        here: Counter[object] = Counter()
        for interval in part.get("intervals", ()):
            key = fingerprint(interval)
            here[key] += 1
            if here[key] > shown[key]:
                shown[key] += 1
                kept.append(interval)
    return kept
