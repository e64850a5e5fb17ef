"""Labels: what may be drawn (CVAT contract 3.6)."""

from __future__ import annotations

import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.errors import Invalid
from domain.events.label import AttributeSpec, LabelSpec
from domain.label_spec import INPUT_TYPES, MAX_LABELS, MAX_NAME, TYPES, check, color_of, define

from .memory_log import CountingIds


def defined(*labels: dict[str, Any]) -> list[LabelSpec]:
    return define(list(labels), CountingIds())


def refusal(*labels: Any, taken: frozenset[str] = frozenset()) -> Any:
    with pytest.raises(Invalid) as refused:
        check(list(labels), taken)
    return refused.value.detail


def test_a_bare_name_is_enough() -> None:
    assert defined({"name": "cat"}) == [
        LabelSpec(id=1, name="cat", color=color_of("cat"), type="any", attributes=[]),
    ]


def test_what_is_given_stays() -> None:
    (label,) = defined({"name": "cat", "color": "#ABCDEF", "type": "polygon"})
    assert (label["color"], label["type"]) == ("#ABCDEF", "polygon")


@pytest.mark.parametrize("blank", [{"color": ""}, {"color": None}, {"type": ""}, {"type": None}])
def test_blank_means_not_given(blank: dict[str, Any]) -> None:
    assert defined({"name": "cat"} | blank) == defined({"name": "cat"})


@given(st.text(min_size=1))
def test_a_name_has_one_color_whatever_its_case(name: str) -> None:
    assert re.fullmatch(r"#[0-9a-f]{6}", color_of(name))
    assert color_of(name.lower()) == color_of(name.lower().lower())


def test_different_names_have_different_colors() -> None:
    assert len({color_of(f"label {number}") for number in range(100)}) > 90


def test_an_attribute_without_values_has_the_empty_one() -> None:
    (label,) = defined({"name": "cat", "attributes": [{"name": "age", "input_type": "text", "values": []}]})
    assert label["attributes"] == [
        AttributeSpec(id=1, name="age", mutable=False, input_type="text", default_value="", values=[""])
    ]


@pytest.mark.parametrize(
    ("given_default", "recorded"), [({}, "1"), ({"default_value": None}, "1"), ({"default_value": 2}, "2")]
)
def test_the_first_value_is_the_default_of_an_attribute(given_default: dict[str, Any], recorded: str) -> None:
    attribute = {"name": "age", "input_type": "select", "values": [1, 2], "mutable": True} | given_default
    (label,) = defined({"name": "cat", "attributes": [attribute]})
    (spec,) = label["attributes"]
    assert (spec["default_value"], spec["values"], spec["mutable"]) == (recorded, ["1", "2"], True)


def test_a_skeletons_drawing_refers_to_its_points_by_id() -> None:
    svg = '<circle data-label-name="head"/><circle data-label-name="foot"/><line data-label-name="other"/>'
    points = [{"name": "head", "type": "points"}, {"name": "foot", "type": "points"}]
    (label,) = defined({"name": "person", "type": "skeleton", "sublabels": points, "svg": svg})
    assert [(sublabel["id"], sublabel["name"]) for sublabel in label["sublabels"]] == [(2, "head"), (3, "foot")]
    assert label["svg"] == '<circle data-label-id="2"/><circle data-label-id="3"/><line data-label-name="other"/>'


def test_only_skeletons_have_sublabels() -> None:
    (label,) = defined({"name": "cat", "sublabels": [{"name": "head"}], "svg": "<svg/>"})
    assert "sublabels" not in label
    assert "svg" not in label


def test_ids_are_unique_over_labels_sublabels_and_attributes() -> None:
    attribute = {"name": "age", "input_type": "text"}
    points = [{"name": "head", "attributes": [attribute]}, {"name": "foot"}]
    labels = defined(
        {"name": "person", "type": "skeleton", "sublabels": points, "attributes": [attribute]},
        {"name": "cat", "attributes": [attribute, attribute | {"name": "color"}]},
    )
    everything = [*labels, *labels[0]["sublabels"]]
    assert len({label["id"] for label in everything}) == 4
    assert sorted(spec["id"] for label in everything for spec in label["attributes"]) == [1, 2, 3, 4]


@pytest.mark.parametrize("name", [None, "", "  ", 5, "x" * (MAX_NAME + 1)])
def test_errors_keep_the_position_of_their_label(name: Any) -> None:
    detail = refusal({"name": "cat"}, {"name": name})
    assert detail["labels"][0] == {}
    assert detail["labels"][1].keys() == {"name"}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"type": "circle"}, "type"),
        ({"color": "red"}, "color"),
        ({"color": "#12345"}, "color"),
        ({"color": "#123456\n"}, "color"),
        ({"attributes": [{"name": "", "input_type": "text"}]}, "attributes"),
        ({"attributes": [{"name": "age"}]}, "attributes"),
        ({"attributes": [{"name": "age", "input_type": "slider"}]}, "attributes"),
        ({"attributes": [{"name": "age", "input_type": "text", "values": "1,2"}]}, "attributes"),
        ({"sublabels": [{"name": "head"}, {"name": ""}]}, "sublabels"),
    ],
)
def test_what_a_label_may_not_be(wrong: dict[str, Any], field: str) -> None:
    assert refusal({"name": "cat"} | wrong)["labels"][0].keys() == {field}


@pytest.mark.parametrize("kind", TYPES)
def test_every_type_of_the_contract_is_a_type(kind: str) -> None:
    assert defined({"name": "cat", "type": kind})[0]["type"] == kind


@pytest.mark.parametrize("kind", INPUT_TYPES)
def test_every_input_type_of_the_contract_is_one(kind: str) -> None:
    (label,) = defined({"name": "cat", "attributes": [{"name": "age", "input_type": kind}]})
    assert label["attributes"][0]["input_type"] == kind


def test_names_are_unique_within_the_parent() -> None:
    assert "cat" in str(refusal({"name": "cat"}, {"name": "dog"}, {"name": "cat"}))
    assert "cat" in str(refusal({"name": "cat"}, taken=frozenset({"cat"})))
    check([{"name": "cat"}, {"name": "Cat"}], frozenset())


def test_the_number_of_labels_is_bounded() -> None:
    check([{"name": str(number)} for number in range(MAX_LABELS)], frozenset())
    assert "labels" in refusal(*({"name": str(number)} for number in range(MAX_LABELS + 1)))
    taken = frozenset(str(number) for number in range(MAX_LABELS))
    assert "labels" in refusal({"name": "one more"}, taken=taken)


def test_a_point_of_a_skeleton_is_no_skeleton() -> None:
    hand = {"name": "hand", "type": "skeleton", "sublabels": [{"name": "thumb"}]}
    fault = refusal({"name": "person", "type": "skeleton", "sublabels": [{"name": "head"}, hand]})
    assert fault["labels"][0]["sublabels"][0] == {}
    assert fault["labels"][0]["sublabels"][1].keys() == {"type"}
