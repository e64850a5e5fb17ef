"""Whatever JSON is sent, the answer is a document or a refusal that can be sent back, and a short one."""

from __future__ import annotations

import copy
import json
import math
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.annotation.validation import normalize
from domain.errors import Invalid

from .drawing import CAR, COLOR, LABELS, documents, rectangle


def deep(levels: int, inner: Any = None) -> Any:
    for _ in range(levels):
        inner = [inner]
    return inner


HOSTILE: list[Any] = [
    None, True, False, 0, -1, 1.5, 2**31, 2**63, 10**400, -(10**5000), math.nan, math.inf, -math.inf, 1e308, 5e-324,
    "", "x", "nan", "1e400", "9" * 5000, "١٢", "\0", "\ud800", "x" * 10_000, [], {}, [None], [[]], [{}], {"": None},
    {"spec_id": 1}, deep(100_000),
    [1e308] * 4, [math.nan] * 4, [0, math.nan, 0, 0], [True] * 4, ["1"] * 4, [10**400] * 4,
]  # fmt: skip

# By index: hypothesis shows what it samples from, and some of these cannot be shown.
hostile = st.integers(0, len(HOSTILE) - 1).map(lambda index: HOSTILE[index])
modes = st.sampled_from(["put", "create", "update", "delete"])
json_values = st.recursive(
    hostile | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(["shapes", "tags", "tracks", "points", "frame", "elements", "type", "id"]), inner
        )
    ),
    max_leaves=10,
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Every (container, key) in a document."""
    keys = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else []
    return [(value, key) for key in keys] + [place for key in keys for place in places(value[key])]


@st.composite
def spoiled(draw: st.DrawFn) -> Any:
    """A valid document with up to three values replaced by hostile ones."""
    document = draw(documents())
    for container, key in draw(st.lists(st.sampled_from(places(document)), min_size=1, max_size=3)):
        container[key] = draw(hostile)
    return document


def check(raw: Any, mode: Any) -> None:
    try:
        document = normalize(raw, LABELS, mode)
    except Invalid as refused:
        answer = orjson.dumps(refused.detail)
    else:
        json.dumps(document, allow_nan=False)
        answer = orjson.dumps(document)
    assert 2 < len(answer) < 100_000


@given(json_values, modes)
def test_any_json(raw: Any, mode: Any) -> None:
    check(raw, mode)


@given(spoiled(), modes)
def test_a_document_with_hostile_values_in_it(raw: Any, mode: Any) -> None:
    check(raw, mode)


@pytest.mark.parametrize("value", HOSTILE, ids=range(len(HOSTILE)))
def test_a_hostile_value_in_each_field(value: Any) -> None:
    attribute = {"spec_id": 1, "value": "x"}
    for name in ("type", "points", "frame", "label_id", "group", "source", "z_order", "rotation", "score", "occluded",
                 "attributes", "elements", "id"):  # fmt: skip
        check({"shapes": [rectangle(**{name: value})]}, "update")
        check({"tracks": [{"frame": 0, "label_id": 1, "shapes": [rectangle(**{name: value})], name: value}]}, "put")
    for name in attribute:
        check({"tags": [{"frame": 0, "label_id": 1, "attributes": [{**attribute, name: value}]}]}, "put")


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, 10**400, 1e300, True, None, "1", [], {}])
def test_what_is_not_a_finite_number_is_no_coordinate(number: Any) -> None:
    for position in range(4):
        points = [1.0, 2, 3, 4]
        points[position] = number
        with pytest.raises(Invalid) as caught:
            normalize({"shapes": [copy.copy(rectangle(points=points))]}, LABELS, "put")
        assert caught.value.detail["shapes"][0]["points"][0].startswith(f"Number {position}: ")


@pytest.mark.parametrize("value", [math.nan, math.inf, 10**30, None, [], {}, "a\0b", "\ud800", "x" * 4097])
def test_what_is_not_text_is_no_attribute_value(value: Any) -> None:
    for kind, raw in (("shapes", rectangle(label_id=CAR)), ("tags", {"frame": 0, "label_id": CAR})):
        with pytest.raises(Invalid) as caught:
            normalize({kind: [{**raw, "attributes": [{"spec_id": COLOR, "value": value}]}]}, LABELS, "put")
        assert list(caught.value.detail[kind][0]["attributes"][0]) == ["value"]


def test_the_input_is_not_changed() -> None:
    raw = {"shapes": [rectangle(group=None)], "tracks": [{"frame": 0, "label_id": 2, "shapes": [rectangle(frame=3)]}]}
    before = copy.deepcopy(raw)
    normalize(raw, LABELS, "put")
    assert raw == before
