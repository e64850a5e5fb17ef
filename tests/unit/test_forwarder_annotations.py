"""What becomes of annotations in the analytics: one row per kind and shape type, as CVAT has it."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from consumers.forwarder.transform.row import MAX_COUNT, rows_of
from domain.event import make_body
from domain.events.annotations import (
    AnnotationsChanged,
    AnnotationsCleared,
    AnnotationsReplaced,
    AnnotationsRestored,
    TrackChange,
)

from .test_forwarder_transform import brief, rows


def shape(i: int, kind: str) -> dict[str, Any]:
    return {"id": i, "type": kind, "frame": 0, "label_id": 1, "points": [1, 2, 3, 4]}


def test_annotations_give_one_row_per_kind_and_shape_type() -> None:
    track = {
        "id": 40,
        "label_id": 4,
        "frame": 3,
        "shapes": [shape(41, "polygon"), shape(42, "polygon")],
        "elements": [],
    }
    skeleton = {"id": 43, "label_id": 5, "frame": 0, "shapes": [shape(44, "skeleton")], "elements": [{"id": 45}]}
    body = AnnotationsChanged(
        11,
        7,
        None,
        created={
            "tags": [{"id": 10, "label_id": 6, "frame": 1}, {"id": 11, "label_id": 7, "frame": 2}],
            "shapes": [shape(20, "rectangle"), shape(21, "polygon"), shape(22, "rectangle")],
            "tracks": [track, skeleton],
        },
        updated={"shapes": [shape(23, "mask")], "intervals": [{"id": 50, "label_id": 8, "start": 9}]},
        removed={"shapes": {"rectangle": [24, 25]}, "tags": {"": [12]}, "tracks": {"polygon": [46]}},
    )
    assert brief(body) == [
        ("delete:shapes", "rectangle", None, None, 2),
        ("delete:tags", None, None, None, 1),
        ("delete:tracks", "polygon", None, None, 1),
        ("create:tags", None, None, None, 2),
        ("create:shapes", "rectangle", None, None, 2),
        ("create:shapes", "polygon", None, None, 1),
        ("create:tracks", "polygon", None, None, 1),
        ("create:tracks", "skeleton", None, None, 1),
        ("update:shapes", "mask", None, None, 1),
        ("update:intervals", None, None, None, 1),
    ]
    payloads = [row["payload"] for row in rows(body)]
    assert payloads[0]["shapes"] == [{"id": 24}, {"id": 25}]
    assert payloads[4]["shapes"] == [{"id": 20}, {"id": 22}]
    assert payloads[6]["tracks"] == [{"id": 40, "shapes": [{"id": 41}, {"id": 42}]}]
    assert "label_ids" not in payloads[0]
    told = [(payload["label_ids"], payload["frames"]) for payload in payloads[3:]]
    assert told[0] == ([6, 7], [1, 2])
    assert told[3] == ([4], [3])
    assert told[-1] == ([8], [9])


def test_labels_and_frames_are_in_the_order_of_the_objects() -> None:
    shapes = [shape(object_id, "points") | {"label_id": 100 + object_id, "frame": object_id} for object_id in (1, 2, 3)]
    (row,) = rows(AnnotationsChanged(11, 7, None, {"shapes": shapes}, {}, {}))
    assert row["payload"]["shapes"] == [{"id": 1}, {"id": 2}, {"id": 3}]
    assert (row["payload"]["label_ids"], row["payload"]["frames"]) == ([101, 102, 103], [1, 2, 3])


def test_what_replaced_or_cleared_annotations_removed_is_counted_first() -> None:
    counts = {"shapes": {"rectangle": 3}, "tags": {"": 1}}
    deleted = [("delete:shapes", "rectangle", None, None, 3), ("delete:tags", None, None, None, 1)]
    replaced = AnnotationsReplaced(11, 7, None, created={"shapes": [shape(1, "points")]}, removed=counts)
    assert brief(replaced) == [*deleted, ("create:shapes", "points", None, None, 1)]
    assert brief(AnnotationsCleared(11, 7, None, removed=counts)) == deleted


def test_what_is_restored_counts_as_what_it_does() -> None:
    parts: Any = {
        "created": {"shapes": [shape(1, "points")]},
        "updated": {"tags": [{"id": 10, "label_id": 3, "frame": 0}]},
        "removed": {"shapes": {"mask": [3]}},
    }
    assert brief(AnnotationsRestored(11, 7, None, 4, **parts)) == brief(AnnotationsChanged(11, 7, None, **parts))


@given(st.integers(1, 5 * MAX_COUNT))
def test_counts_beyond_the_column_are_spread_over_rows_and_add_up(number: int) -> None:
    made = rows_of(AnnotationsCleared(11, 7, None, removed={"shapes": {"rectangle": number}}))
    assert sum(row.amount or 0 for row in made) == number
    assert all(0 < (row.amount or 0) <= MAX_COUNT for row in made)


TRACK = {"id": 40, "label_id": 4, "frame": 3, "shapes": [shape(41, "polygon"), shape(42, "polygon")], "elements": []}
GONE = TrackChange(id=46, visible=-7, keyframes=[47, 48])


def tracks_of(body: Any) -> list[Any]:
    return [track for row in rows(body) for track in row["payload"]["tracks"]]


def test_a_track_says_by_how_many_its_visible_shapes_are_more() -> None:
    for number, parts in ((12, ({"tracks": [TRACK]}, {})), (-3, ({}, {"tracks": [TRACK]}))):
        body = AnnotationsChanged(11, 7, None, *parts, {}, [TrackChange(id=40, visible=number)])
        assert tracks_of(body) == [{"id": 40, "shapes": [{"id": 41}, {"id": 42}], "visible_shapes_count_diff": number}]


def test_a_removed_track_says_what_went_with_it_whichever_way() -> None:
    ids: Any = {"tracks": {"polygon": [46]}}
    told = {"id": 46, "shapes": [{"id": 47}, {"id": 48}], "visible_shapes_count_diff": -7}
    counts = {"tracks": {"polygon": 1}}
    for body in (
        AnnotationsChanged(11, 7, None, {}, {}, ids, [GONE]),
        AnnotationsRestored(11, 7, None, 4, {}, {}, ids, [GONE]),
        AnnotationsCleared(11, 7, None, counts, ids, [GONE]),
        AnnotationsReplaced(11, 7, None, {}, counts, ids, [GONE]),
    ):
        assert brief(body) == [("delete:tracks", "polygon", None, None, 1)]
        assert tracks_of(body) == [told]


def test_what_a_job_held_is_named_where_the_event_names_it() -> None:
    """Very many objects of a type are only counted."""
    counts = {"shapes": {"rectangle": 2, "mask": 9_000}, "tags": {"": 1}}
    ids = {"shapes": {"rectangle": [20, 21]}, "tags": {"": [10]}}
    assert [(row["scope"], row["obj_name"], row["count"], row["payload"].get("shapes"), row["payload"].get("tags"))
            for row in rows(AnnotationsCleared(11, 7, None, counts, ids))] == [
        ("delete:shapes", "rectangle", 2, [{"id": 20}, {"id": 21}], None),
        ("delete:shapes", "mask", 9_000, None, None),
        ("delete:tags", None, 1, None, [{"id": 10}]),
    ]  # fmt: skip


def test_an_event_of_earlier_days_gives_the_rows_that_it_gave() -> None:
    place: Any = {"job_id": 11, "task_id": 7, "project_id": None}
    changed = make_body("AnnotationsChanged", 1, place | {
        "created": {"tracks": [TRACK]}, "updated": {}, "removed": {"tracks": {"polygon": [46]}}
    })  # fmt: skip
    assert tracks_of(changed) == [{"id": 46}, {"id": 40, "shapes": [{"id": 41}, {"id": 42}]}]
    cleared = make_body("AnnotationsCleared", 1, place | {"removed": {"tracks": {"polygon": 2}}})
    assert brief(cleared) == [("delete:tracks", "polygon", None, None, 2)]
    assert rows(cleared)[0]["payload"].keys() == {"request"}
