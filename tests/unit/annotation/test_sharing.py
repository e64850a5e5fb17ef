"""A task's annotations shared out among its jobs, and put together again."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.annotation import fanout
from domain.annotation.document import KINDS, Document, Item, assign_ids
from domain.annotation.fanout import Segment, cut, fan_out
from domain.annotation.interpolation import visible_at
from domain.annotation.matching import Matcher, fingerprint
from domain.annotation.merge import merge
from domain.annotation.similarity import same_state
from domain.annotation.validation import normalize
from domain.errors import Invalid

from .drawing import CAR, LABELS, TREE, documents, keyframe, rectangle, track

FRAMES = 24


@st.composite
def segmentations(draw: st.DrawFn) -> list[Segment]:
    """Jobs that cover all frames, as CVAT cuts them or at will, with and without overlap; ids ascend with starts."""
    size = draw(st.integers(1, FRAMES))
    overlap = draw(st.integers(0, size // 2))
    ranges = [(start, min(start + size, FRAMES) - 1) for start in range(0, max(FRAMES - overlap, 1), size - overlap)]
    extra = draw(st.lists(st.tuples(st.integers(0, FRAMES - 1), st.integers(0, FRAMES - 1)), max_size=2))
    ranges = sorted([*ranges, *((min(pair), max(pair)) for pair in extra)], key=lambda pair: pair[0])
    return [(job_id, start, stop) for job_id, (start, stop) in enumerate(ranges, 101)]


def normal(raw: dict[str, Any]) -> Document:
    return normalize(raw, LABELS, "put")


def put_together(shares: dict[int, Document], segments: list[Segment]) -> Document:
    numbers = count(1)
    for share in shares.values():
        assign_ids(share, numbers)
    return merge([(start, stop, shares.get(job_id, {})) for job_id, start, stop in segments])


def without_ids(value: Any) -> Any:
    if isinstance(value, list):
        return [without_ids(item) for item in value]
    return {k: without_ids(v) for k, v in value.items() if k != "id"} if isinstance(value, dict) else value


def seen(tracks: list[Item], frame: int) -> list[tuple[Item, Item]]:
    return [(track, state) for track in tracks if (state := visible_at(track, frame))]


def same_view(one: tuple[Item, Item], other: tuple[Item, Item]) -> bool:
    own = [(track["label_id"], track["group"], track["source"], track["attributes"]) for track, _ in (one, other)]
    return own[0] == own[1] and same_state(one[1], other[1])


def assert_same_sights(before: list[Item], after: list[Item], frame: int) -> None:
    left = seen(after, frame)
    for sight in seen(before, frame):
        twin = next((other for other in left if same_view(sight, other)), None)
        assert twin, (frame, sight, left)
        left.remove(twin)
    assert not left, (frame, left)


@given(documents(st.integers(0, FRAMES - 1)), segmentations())
def test_what_is_shared_out_comes_together_as_it_was(raw: dict[str, Any], segments: list[Segment]) -> None:
    document = normal(raw)
    document["intervals"] = [interval for interval in document["intervals"] if interval["start"] < FRAMES]
    merged = put_together(fan_out(document, segments), segments)
    for kind in ("tags", "shapes"):
        expected = sorted(document[kind], key=lambda item: item["frame"])
        assert without_ids(merged[kind]) == without_ids(expected)
    starts = [fingerprint(interval) for interval in sorted(document["intervals"], key=lambda item: item["start"])]
    assert sorted(map(fingerprint, merged["intervals"]), key=repr) == sorted(starts, key=repr)
    for frame in range(FRAMES):
        assert_same_sights(document["tracks"], merged["tracks"], frame)


@given(documents(st.integers(0, FRAMES - 1)), segmentations())
def test_a_job_gets_what_its_frames_show(raw: dict[str, Any], segments: list[Segment]) -> None:
    document = normal(raw)
    shares = fan_out(document, segments)
    for job_id, start, stop in segments:
        share = shares.get(job_id, {})
        for kind in ("tags", "shapes"):
            inside = [item for item in document[kind] if start <= item["frame"] <= stop]
            assert share.get(kind, []) == inside
        for frame in range(start, stop + 1):
            assert_same_sights(document["tracks"], share.get("tracks", []), frame)
        for part in share.get("tracks", []):
            frames = [shape["frame"] for line in (part, *part["elements"]) for shape in line["shapes"]]
            assert start <= min(frames) <= max(frames) <= stop


@given(documents(st.integers(0, FRAMES - 1)), segmentations())
def test_jobs_share_no_object(raw: dict[str, Any], segments: list[Segment]) -> None:
    shares = fan_out(normal(raw), segments)
    numbers = count(1)
    for share in shares.values():
        assign_ids(share, numbers)
    ids = [found for share in shares.values() for kind in KINDS for found in part_ids(share[kind])]
    assert len(ids) == len(set(ids)) == next(numbers) - 1


def part_ids(items: list[Item]) -> list[int]:
    own = [item["id"] for item in items]
    return own + [found for item in items for part in ("elements", "shapes") for found in part_ids(item.get(part, []))]


def test_what_is_in_no_job_vanishes() -> None:
    document = normal(
        {"shapes": [rectangle(3), rectangle(9)], "tracks": [track(keyframe(4), keyframe(6, outside=True))]}
    )
    assert fan_out(document, [(1, 7, 8)]) == {}
    assert [item["frame"] for item in fan_out(document, [(1, 0, 3)])[1]["shapes"]] == [3]


def test_what_would_fall_into_too_many_parts_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fanout, "MAX_PARTS", 9)
    document = normal({"tracks": [track(keyframe(0))]})
    assert len(fan_out(document, [(job, job, job) for job in range(9)])) == 9
    with pytest.raises(Invalid, match="more than 9 objects"):
        fan_out(document, [(job, job, job) for job in range(10)])


def test_a_track_is_cut_with_keyframes_at_the_borders() -> None:
    [line] = normal({"tracks": [track(keyframe(0, [0, 0, 9, 9]), keyframe(10, [100, 0, 109, 9]))]})["tracks"]
    parts = [cut(line, start, stop) for start, stop in ((0, 3), (4, 7), (8, 12))]
    assert [[(shape["frame"], shape["points"][0]) for shape in part["shapes"]] for part in parts if part] == [
        [(0, 0), (3, 30.0)],
        [(4, 40.0), (7, 70.0)],
        [(8, 80.0), (10, 100)],
    ]


def test_a_track_that_stands_still_needs_no_keyframe_where_it_leaves() -> None:
    [line] = normal({"tracks": [track(keyframe(0), keyframe(10))]})["tracks"]
    part = cut(line, 2, 5)
    assert part
    assert [shape["frame"] for shape in part["shapes"]] == [2]


def test_a_track_begins_where_it_is_first_seen() -> None:
    [line] = normal(
        {"tracks": [track(keyframe(0), keyframe(3, outside=True), keyframe(8), keyframe(12, outside=True))]}
    )["tracks"]
    part = cut(line, 4, 20)
    assert part
    assert [(shape["frame"], shape["outside"]) for shape in part["shapes"]] == [(8, False), (12, True)]
    assert cut(line, 3, 7) is None
    assert cut(line, 12, 20) is None


OVERLAPPING = [(0, 5), (4, 9)]


def merged(*documents_of_jobs: dict[str, Any], ranges: list[tuple[int, int]] | None = None) -> Document:
    normalized = [normal(raw) for raw in documents_of_jobs]
    return merge([(start, stop, part) for (start, stop), part in zip(ranges or OVERLAPPING, normalized, strict=True)])


def test_alike_shapes_of_an_overlap_are_one_the_earlier_jobs() -> None:
    first, second = rectangle(4, [0, 0, 100, 100]), rectangle(4, [0, 0, 100, 90])
    assert [shape["points"] for shape in merged({"shapes": [first]}, {"shapes": [second]})["shapes"]] == [
        [0, 0, 100, 100]
    ]


@pytest.mark.parametrize(
    "second",
    [
        rectangle(4, [0, 0, 100, 60]),
        rectangle(4, [0, 0, 100, 100], label_id=CAR),
        rectangle(4, [50, 50, 100, 0], type="ellipse"),
        rectangle(6, [0, 0, 100, 100]),
    ],
)
def test_shapes_that_differ_are_two(second: dict[str, Any]) -> None:
    assert len(merged({"shapes": [rectangle(4, [0, 0, 100, 100])]}, {"shapes": [second]})["shapes"]) == 2


def test_a_shape_has_one_counterpart_the_most_alike() -> None:
    near = [rectangle(5, [0, 0, 100, height]) for height in (84, 96)]
    both = merged({"shapes": [rectangle(5, [0, 0, 100, 100])]}, {"shapes": near})["shapes"]
    assert [shape["points"][3] for shape in both] == [100, 84]


def test_shapes_of_one_job_are_never_merged() -> None:
    assert len(merged({"shapes": [rectangle(4)] * 3}, {"shapes": [rectangle(4)] * 2})["shapes"]) == 3


def test_alike_shapes_outside_the_overlap_are_two() -> None:
    assert len(merged({"shapes": [rectangle(7)]}, {"shapes": [rectangle(7)]})["shapes"]) == 2


def test_tags_are_merged_by_label() -> None:
    tags = [{"frame": 5, "label_id": label} for label in (CAR, TREE)]
    spoken = {**tags[0], "attributes": [{"spec_id": 11, "value": "blue"}]}
    both = merged({"tags": tags[:1]}, {"tags": [spoken, tags[1]]})["tags"]
    assert [(tag["label_id"], tag["attributes"][:1]) for tag in both] == [
        (CAR, [{"spec_id": 11, "value": "red"}]),
        (TREE, []),
    ]


def sights(document: Document, frames: range = range(10)) -> list[list[float]]:
    return [[state["points"][0] for _, state in seen(document["tracks"], frame)] for frame in frames]


def test_a_track_goes_on_in_the_next_job() -> None:
    first = track(keyframe(0, [0, 0, 100, 100]), keyframe(5, [50, 0, 150, 100]))
    second = track(keyframe(4, [41, 0, 141, 100]), keyframe(9, [91, 0, 191, 100]))
    both = merged({"tracks": [first]}, {"tracks": [second]})
    assert len(both["tracks"]) == 1
    assert [only for [only] in sights(both)] == pytest.approx([0, 10, 20, 30, 40, 50, 61, 71, 81, 91])


def test_tracks_apart_in_the_overlap_stay_apart_and_end_with_their_jobs() -> None:
    first, second = track(keyframe(0, [0, 0, 9, 9])), track(keyframe(4, [500, 0, 509, 9]))
    both = merged({"tracks": [first]}, {"tracks": [second]})
    assert sights(both) == [[0]] * 4 + [[0, 500]] * 2 + [[500]] * 4


def test_a_track_counts_only_as_far_as_its_job_goes() -> None:
    first, third = {"tracks": [track(keyframe(0))]}, {"tracks": [track(keyframe(6))]}
    both = merged(first, {}, third, ranges=[(0, 5), (2, 9), (4, 12)])
    assert len(both["tracks"]) == 2


def test_without_overlap_a_track_ends_with_its_job_unless_it_is_the_last() -> None:
    both = merged({"tracks": [track(keyframe(0))]}, {"tracks": [track(keyframe(5))]}, ranges=[(0, 4), (5, 9)])
    assert [[(shape["frame"], shape["outside"]) for shape in line["shapes"]] for line in both["tracks"]] == [
        [(0, False), (5, True)],
        [(5, False)],
    ]


def test_a_track_shared_out_and_put_together_keeps_its_keyframes() -> None:
    raw = track(keyframe(0, [0, 0, 9, 9]), keyframe(9, [90, 0, 99, 9]))
    segments = [(1, 0, 5), (2, 4, 9)]
    [line] = put_together(fan_out(normal({"tracks": [raw]}), segments), segments)["tracks"]
    assert [shape["frame"] for shape in line["shapes"]] == [0, 5, 9]


@given(documents(st.integers(0, FRAMES - 1)), segmentations())
def test_merging_changes_none_of_its_input(raw: dict[str, Any], segments: list[Segment]) -> None:
    shares = fan_out(normal(raw), segments)
    before = repr(shares)
    merge([(start, stop, shares.get(job_id, {})) for job_id, start, stop in segments])
    assert repr(shares) == before


def test_when_the_budget_is_spent_what_is_left_counts_as_different() -> None:
    old, new = (
        [{**normal({"shapes": [rectangle(0, [0, 0, 100, h])]})["shapes"][0]} for h in hs]
        for hs in ((100, 50), (99, 50))
    )
    assert Matcher().shapes(old, new) == [(1, 1), (0, 0)]
    assert Matcher(budget=0).shapes(old, new) == [(1, 1)]
    lines = normal({"tracks": [track(keyframe(0, [0, 0, 9, height])) for height in (50, 60, 50, 61)]})["tracks"]
    standing = [(line, 5) for line in lines[:2]]
    assert Matcher().tracks(standing, lines[2:], 4, 5) == [(0, 0), (1, 1)]
    assert Matcher(budget=0).tracks(standing, lines[2:], 4, 5) == [(0, 0)]


def test_merging_nothing_gives_an_empty_document() -> None:
    assert merge([]) == {kind: [] for kind in KINDS}
