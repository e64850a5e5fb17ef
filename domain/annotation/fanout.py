"""Sharing a task's annotations out among its jobs by frame."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate
from operator import itemgetter

from domain.annotation.document import KINDS, MAX_FRAME, Document, Item
from domain.annotation.interpolation import state_at
from domain.annotation.tracks import frame_of
from domain.errors import Invalid

MAX_PARTS = 2_000_000
"""Twice what a document may hold, for overlaps. A few open tracks over very many jobs could be far more."""

Segment = tuple[int, int, int]
"""Job id, first frame, last frame (inclusive)."""


def fan_out(document: Document, segments: Iterable[Segment]) -> dict[int, Document]:
    """The part of the document that each job gets; jobs that get nothing are left out. Tags and shapes go to every job
    that has their frame, tracks are cut, intervals go whole to every job that they touch. What is in no job vanishes,
    as in CVAT. Every job gets copies of its own, with whatever ids the originals have. Raises Invalid for more than
    `MAX_PARTS` objects in all.
    """
    ranges = _Ranges(segments)
    shares: defaultdict[int, Document] = defaultdict(lambda: {kind: [] for kind in KINDS})
    for count, (job_id, kind, item) in enumerate(_parts(document, ranges)):
        if count == MAX_PARTS:
            raise Invalid([f"Cut by jobs, these annotations are more than {MAX_PARTS} objects."])
        shares[job_id][kind].append(item)
    return dict(shares)


def _parts(document: Document, ranges: _Ranges) -> Iterator[tuple[int, str, Item]]:
    """Job id, kind, object: kinds in order."""
    for kind in ("tags", "shapes"):
        for item in document.get(kind, ()):
            for job_id in ranges.jobs_at(item["frame"]):
                yield job_id, kind, _copy(item)
    for track in document.get("tracks", ()):
        for job_id, start, stop in ranges.touching(track["frame"], _last_frame(track)):
            part = cut(track, start, stop)
            if part:
                yield job_id, "tracks", part
    for interval in document.get("intervals", ()):
        last = MAX_FRAME if interval["stop"] is None else max(interval["start"], interval["stop"] - 1)
        for job_id, _, _ in ranges.touching(interval["start"], last):
            yield job_id, "intervals", {**interval}


def cut(track: Item, start: int, stop: int) -> Item | None:
    """The part of a track within `start` to `stop` (inclusive), or None when it never shows there. It begins where the
    track is first seen and gets keyframes of interpolated position at the borders that it crosses, as in CVAT.
    """
    begin = _first_seen(track, start, stop)
    if begin is None:
        return None
    elements = [
        {**element, "frame": begin, "shapes": shapes}
        for element in track["elements"]
        if (shapes := _within(element["shapes"], begin, stop))
    ]
    return {**track, "frame": begin, "shapes": _within(track["shapes"], begin, stop), "elements": elements}


class _Ranges:
    """The jobs' frame ranges, to be asked which of them hold a frame."""

    def __init__(self, segments: Iterable[Segment]) -> None:
        self._segments = sorted(segments, key=itemgetter(1, 0))
        self._starts = [start for _, start, _ in self._segments]
        self._reaches = list(accumulate((stop for _, _, stop in self._segments), max))
        self._at: dict[int, tuple[int, ...]] = {}

    def jobs_at(self, frame: int) -> tuple[int, ...]:
        if frame not in self._at:
            self._at[frame] = tuple(job_id for job_id, _, _ in self.touching(frame, frame))
        return self._at[frame]

    def touching(self, first: int, last: int) -> list[Segment]:
        """The segments that share a frame with `first` to `last`, by start."""
        index = bisect_right(self._starts, last) - 1
        found = []
        while index >= 0 and self._reaches[index] >= first:
            if self._segments[index][2] >= first:
                found.append(self._segments[index])
            index -= 1
        return found[::-1]


def _copy(item: Item) -> Item:
    if item.get("elements"):
        return {**item, "elements": [{**element} for element in item["elements"]]}
    return {**item, "elements": []} if "elements" in item else {**item}


def _last_frame(track: Item) -> int:
    """No job after this frame sees the track."""
    ends = [line["shapes"][-1] for line in track["elements"] or (track,)]
    return max(end["frame"] for end in ends) if all(end["outside"] for end in ends) else MAX_FRAME


def _first_seen(track: Item, start: int, stop: int) -> int | None:
    """The first frame of the range at which the track shows; a skeleton shows when one of its elements does."""
    seen = _spans(track["shapes"], start, stop)
    if not track["elements"]:
        return seen[0][0] if seen else None
    parts = [span for element in track["elements"] for span in _spans(element["shapes"], start, stop)]
    common = [max(a, c) for a, b in seen for c, d in parts if max(a, c) <= min(b, d)]
    return min(common, default=None)


def _spans(keyframes: Sequence[Item], start: int, stop: int) -> list[tuple[int, int]]:
    """The stretches (inclusive) of the range in which these keyframes show something."""
    first = max(bisect_right(keyframes, start, key=frame_of) - 1, 0)
    spans = []
    for index in range(first, len(keyframes)):
        keyframe = keyframes[index]
        if keyframe["frame"] > stop:
            break
        end = keyframes[index + 1]["frame"] - 1 if index + 1 < len(keyframes) else stop
        if not keyframe["outside"]:
            spans.append((max(keyframe["frame"], start), min(end, stop)))
    return spans


def _within(keyframes: Sequence[Item], begin: int, stop: int) -> list[Item]:
    """Copies of the keyframes from `begin` to `stop`, the state at `begin` first, and where the object is at `stop`
    when it moves on from there.
    """
    first = state_at(keyframes, begin)
    if first is None:
        return []
    after = bisect_right(keyframes, begin, key=frame_of)
    end = bisect_right(keyframes, stop, key=frame_of)
    shapes = [{**first}, *({**keyframe} for keyframe in keyframes[after:end])]
    if end < len(keyframes):
        last = state_at(keyframes, stop)
        if last and (last["points"] != shapes[-1]["points"] or last["rotation"] != shapes[-1]["rotation"]):
            shapes.append({**last})
    return shapes
