"""What is accepted as it was sent, and what is filled in."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from domain.annotation.document import KINDS, Document, Limits
from domain.annotation.fields import Fields, Scan
from domain.annotation.shapes import quick_shape_reader, read_shape
from domain.annotation.validation import normalize
from domain.errors import Invalid

from .drawing import (
    BLURRED,
    CAR,
    COLOR,
    FOOT,
    HEAD,
    LABELS,
    PERSON,
    TREE,
    documents,
    keyframe,
    rectangle,
    skeleton,
    track,
)


def refusal(raw: Any, mode: Any = "put", limits: Limits = Limits()) -> Any:
    with pytest.raises(Invalid) as caught:
        normalize(raw, LABELS, mode, limits)
    return caught.value.detail


def only(raw: dict[str, Any], kind: str = "shapes", mode: Any = "put") -> dict[str, Any]:
    [item] = normalize({kind: [raw]}, LABELS, mode)[kind]
    return item


def test_a_missing_field_is_filled_in_and_an_unknown_one_is_left_out() -> None:
    assert only({"type": "rectangle", "frame": 3, "label_id": TREE, "points": [1, 2.5, 3, 4], "colour": "?"}) == {
        "id": None,
        "frame": 3,
        "label_id": TREE,
        "group": 0,
        "source": "manual",
        "attributes": [],
        "type": "rectangle",
        "points": [1, 2.5, 3, 4],
        "occluded": False,
        "outside": False,
        "z_order": 0,
        "rotation": 0.0,
        "score": 1.0,
        "elements": [],
    }


def test_an_empty_document_has_all_four_kinds() -> None:
    assert normalize({}, LABELS, "create") == {kind: [] for kind in KINDS}


def test_numbers_stay_what_they_were() -> None:
    shape = only(rectangle(points=[1, 2.0, 0.1 + 0.2, -4], rotation=90, score=1))
    assert [repr(number) for number in shape["points"]] == ["1", "2.0", "0.30000000000000004", "-4"]
    assert (repr(shape["rotation"]), repr(shape["score"])) == ("90", "1")


@pytest.mark.parametrize(("sent", "read"), [("5", 5), (5.0, 5), ("7.0", 7)])
def test_whole_numbers_in_other_clothes_are_read_as_by_cvat(sent: Any, read: int) -> None:
    assert repr(only(rectangle(frame=sent))["frame"]) == repr(read)


def test_a_null_group_is_no_group() -> None:
    assert only(rectangle(group=None))["group"] == 0


def test_attributes_are_completed_with_defaults_and_the_last_of_two_values_counts() -> None:
    given_values = [{"spec_id": BLURRED, "value": value} for value in ("x", True)]
    assert only(rectangle(label_id=CAR, attributes=given_values))["attributes"] == [
        {"spec_id": BLURRED, "value": "true"},
        {"spec_id": COLOR, "value": "red"},
    ]


@pytest.mark.parametrize(("sent", "read"), [(1, "1"), (1.5, "1.5"), (False, "false"), ("", ""), (" a ", " a ")])
def test_attribute_values_become_text(sent: Any, read: str) -> None:
    tag = only({"frame": 0, "label_id": CAR, "attributes": [{"spec_id": COLOR, "value": sent}]}, "tags")
    assert tag["attributes"][0]["value"] == read


@pytest.mark.parametrize("mode", ["put", "create"])
def test_new_objects_have_no_ids_and_their_parts_get_new_ones(mode: Any) -> None:
    assert only(rectangle(id=None), mode=mode)["id"] is None
    assert refusal({"shapes": [rectangle(), rectangle(id=7)]}, mode) == {"shapes": [{}, {"id": ["must be absent"]}]}
    assert only(track(keyframe(0, id=9)), "tracks", mode)["shapes"][0]["id"] is None


def test_an_update_keeps_ids_of_known_objects_and_their_parts() -> None:
    raw = skeleton(id=7)
    raw["elements"][0]["id"] = 8
    document = normalize({"shapes": [raw, rectangle()], "tracks": [track(keyframe(0, id=9), id=5)]}, LABELS, "update")
    assert [shape["id"] for shape in document["shapes"]] == [7, None]
    assert [element["id"] for element in document["shapes"][0]["elements"]] == [8, None]
    assert document["tracks"][0]["shapes"][0]["id"] == 9


def test_an_update_names_each_object_once() -> None:
    detail = refusal({"shapes": [rectangle(id=7), rectangle(id=7)]}, "update")
    assert detail == {"shapes": ["Each id may be given once, not: 7"]}


def test_a_delete_needs_ids_but_no_labels_and_adds_nothing() -> None:
    assert refusal({"tags": [{"frame": 1, "label_id": CAR}]}, "delete") == {
        "tags": [{"id": ["This field is required."]}]
    }
    gone = normalize({"tracks": [{"id": 4, "frame": 1, "label_id": 999, "shapes": []}]}, LABELS, "delete")
    assert [(item["id"], item["shapes"], item["attributes"]) for item in gone["tracks"]] == [(4, [], [])]


def test_an_unknown_source_is_refused_in_a_new_object_and_manual_in_a_known_one() -> None:
    assert refusal({"shapes": [rectangle(source="magic")]}) == {
        "shapes": [{"source": ['"magic" is not a valid choice.']}]
    }
    assert only(rectangle(id=3, source="magic"), mode="update")["source"] == "manual"
    assert only(rectangle(source="semi-auto"))["source"] == "semi-auto"


@pytest.mark.parametrize(
    ("shape_type", "good", "bad"),
    [
        ("rectangle", [4], [0, 3, 5, 8]),
        ("ellipse", [4], [2, 5]),
        ("polygon", [6, 8], [4, 5, 7]),
        ("polyline", [4, 6], [2, 3, 5]),
        ("points", [2, 4], [0, 1, 3]),
        ("cuboid", [16], [8, 15, 17]),
        ("mask", [5, 6, 7], [0, 4]),
    ],
)
def test_each_type_has_its_count_of_numbers(shape_type: str, good: list[int], bad: list[int]) -> None:
    for count in good:
        assert len(only(rectangle(type=shape_type, points=[1] * count))["points"]) == count
    for count in bad:
        [error] = refusal({"shapes": [{**rectangle(type=shape_type), "points": [1] * count}]})["shapes"]
        assert list(error) == ["points"]


def test_the_box_of_a_mask_is_not_inside_out() -> None:
    assert only(rectangle(type="mask", points=[0, 4, 5, 5, 6, 6]))["points"] == [0, 4, 5, 5, 6, 6]
    assert "points" in refusal({"shapes": [rectangle(type="mask", points=[0, 4, 6, 5, 5, 6])]})["shapes"][0]


def test_a_skeleton_has_elements_of_its_sublabels_and_nothing_else_has_elements() -> None:
    assert [element["label_id"] for element in only(skeleton())["elements"]] == [HEAD, FOOT]
    message = {"elements": ["A skeleton has at least one element; no other shape has any."]}
    assert refusal({"shapes": [skeleton(elements=[])]}) == {"shapes": [message]}
    assert refusal({"shapes": [{**skeleton(), "type": "points", "points": [1, 2]}]}) == {"shapes": [message]}
    raw = skeleton()
    raw["elements"][0] = rectangle(label_id=TREE)
    assert refusal({"shapes": [raw]}) == [f"label_id `{TREE}` is invalid"]
    raw["elements"][0] = skeleton(label_id=HEAD)
    assert refusal({"shapes": [raw]})["shapes"][0]["elements"][0]["type"]


def test_points_of_a_skeleton_may_be_left_out_but_not_given() -> None:
    assert only(skeleton())["points"] == []
    assert "points" in refusal({"shapes": [skeleton(points=[1, 2])]})["shapes"][0]


def test_labels_and_attributes_that_do_not_exist_are_told_in_a_list() -> None:
    tag = {"frame": 0, "label_id": 77}
    assert refusal({"tags": [tag, tag], "shapes": [rectangle(label_id=78)]}) == [
        "label_id `77` is invalid",
        "label_id `78` is invalid",
    ]
    wrong = [{"spec_id": COLOR, "value": "x"}]
    assert refusal({"shapes": [rectangle(attributes=wrong)]}) == [f"spec_id `{COLOR}` is invalid"]


def test_a_track_has_immutable_attributes_and_its_keyframes_mutable_ones() -> None:
    color, blurred = [{"spec_id": COLOR, "value": "x"}], [{"spec_id": BLURRED, "value": "x"}]
    assert refusal({"tracks": [track(keyframe(0), label_id=CAR, attributes=blurred)]}) == [
        f"spec_id `{BLURRED}` is invalid"
    ]
    assert refusal({"tracks": [track(keyframe(0, attributes=color), label_id=CAR)]}) == [
        f"spec_id `{COLOR}` is invalid"
    ]
    accepted = only(track(keyframe(0, attributes=blurred), label_id=CAR, attributes=color), "tracks")
    assert (accepted["attributes"], accepted["shapes"][0]["attributes"]) == (color, blurred)


def test_an_interval_may_be_open_but_must_say_so() -> None:
    raw = {"label_id": CAR, "start": 5, "stop": None}
    assert only(raw, "intervals")["stop"] is None
    assert refusal({"intervals": [{"label_id": CAR, "start": 5}]}) == {
        "intervals": [{"stop": ["This field is required."]}]
    }
    assert "stop" in refusal({"intervals": [{**raw, "stop": 4}]})["intervals"][0]


def test_every_fault_is_told_where_it_is() -> None:
    raw = {
        "shapes": [
            rectangle(),
            rectangle(frame=-1, rotation=400, type="blob"),
            {**rectangle(), "attributes": [{"value": "x"}, {"spec_id": 1, "value": None}, 5]},
            7,
        ],
        "tracks": [{"frame": 0, "label_id": "tree", "shapes": [keyframe(0), {"type": "points", "points": ["1", 2]}]}],
        "tags": {},
    }
    assert refusal(raw) == {
        "tags": {"non_field_errors": ['Expected a list of items but got type "dict".']},
        "shapes": [
            {},
            {
                "frame": ["Ensure this value is greater than or equal to 0."],
                "rotation": ["Ensure this value is less than or equal to 360."],
                "type": ['"blob" is not a valid choice.'],
            },
            {
                "attributes": [
                    {"spec_id": ["This field is required."]},
                    {"value": ["This field may not be null."]},
                    {"non_field_errors": ["Invalid data. Expected a dictionary, but got int."]},
                ]
            },
            {"non_field_errors": ["Invalid data. Expected a dictionary, but got int."]},
        ],
        "tracks": [
            {
                "label_id": ["A valid integer is required."],
                "shapes": [
                    {},
                    {
                        "frame": ["This field is required."],
                        "points": ["Number 0: a valid number is required, not str."],
                    },
                ],
            }
        ],
    }


def test_a_document_of_faults_gets_a_short_answer_that_says_so() -> None:
    detail = refusal({"shapes": [{} for _ in range(10_000)]})
    assert detail["non_field_errors"] == ["102 errors were found; the rest was not checked."]
    assert len(detail["shapes"]) == 34  # frame, label_id, type


def test_sizes_are_bounded() -> None:
    few = Limits(objects=2, points=4, keyframes=1, elements=1, attributes=1)
    assert normalize({"shapes": [rectangle()] * 2}, LABELS, "put", few)["shapes"]
    too_many = {
        "tags": [{"frame": 0, "label_id": TREE}] * 3,
        "shapes": [rectangle(type="polygon", points=[1] * 6), {**skeleton()}],
        "tracks": [track(keyframe(0), keyframe(1))],
    }
    assert refusal(too_many, limits=few) == {
        "tags": {"non_field_errors": ["Ensure this field has no more than 2 elements."]},
        "shapes": [
            {"points": ["Ensure this field has no more than 4 elements."]},
            {"elements": {"non_field_errors": ["Ensure this field has no more than 1 elements."]}},
        ],
        "tracks": [{"shapes": {"non_field_errors": ["Ensure this field has no more than 1 elements."]}}],
    }


@given(documents())
def test_a_normalized_document_is_its_own_normal_form(raw: dict[str, Any]) -> None:
    first = normalize(raw, LABELS, "put")
    assert repr(normalize(first, LABELS, "put")) == repr(first)


@given(documents())
def test_the_quick_way_reads_a_shape_as_the_thorough_one_does(raw: dict[str, Any]) -> None:
    scan = Scan(LABELS, "update", Limits())
    read = quick_shape_reader(scan)
    for shape in raw["shapes"]:
        fields = Fields(shape, scan)
        quick, thorough = read(shape), read_shape(fields)
        assert not fields.errors
        if quick is not None:
            assert sorted((name, repr(value)) for name, value in quick.items()) == sorted(
                (name, repr(value)) for name, value in thorough.items()
            )
        else:
            assert shape["type"] == "skeleton" or shape.get("group", 0) is None
    assert not scan.rules


@given(documents())
def test_points_are_never_touched(raw: dict[str, Any]) -> None:
    document: Document = normalize(raw, LABELS, "put")
    assert [repr(shape["points"]) for shape in document["shapes"]] == [repr(shape["points"]) for shape in raw["shapes"]]


def test_labels_may_come_flat_with_parent_ids() -> None:
    rows = [{"id": 1, "name": "p", "type": "skeleton"}, {"id": 2, "name": "c", "parent_id": 1}]
    assert type(LABELS).from_rows(rows).by_id[1].sublabels == {2}
    assert LABELS.by_id[PERSON].sublabels == {HEAD, FOOT}
