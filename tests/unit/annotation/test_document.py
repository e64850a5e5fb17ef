"""Ids, and attributes under labels that have changed."""

from __future__ import annotations

from copy import deepcopy
from itertools import count
from typing import Any

import pytest
from hypothesis import given

from domain.annotation.attributes import conform
from domain.annotation.document import Document, LabelSpecs, assign_ids, count_new
from domain.annotation.validation import normalize

from .drawing import BLURRED, CAR, COLOR, LABELS, ROWS, TREE, attribute, documents, keyframe, rectangle, track


def ids_in(value: Any) -> list[int | None]:
    if isinstance(value, list):
        return [found for item in value for found in ids_in(item)]
    if not isinstance(value, dict):
        return []
    own = [value["id"]] if "id" in value else []
    return own + [found for item in value.values() for found in ids_in(item)]


def labels_with(label_id: int, attributes: list[dict[str, Any]]) -> LabelSpecs:
    return LabelSpecs.from_rows([{**row, "attributes": attributes} if row["id"] == label_id else row for row in ROWS])


@given(documents())
def test_everything_that_has_an_id_gets_one_of_its_own(raw: dict[str, Any]) -> None:
    document = normalize(raw, LABELS, "put")
    wanted = count_new(document)
    assert wanted == ids_in(document).count(None) == len(ids_in(document))
    numbers = count(100)
    assign_ids(document, numbers)
    assert sorted(filter(None, ids_in(document))) == list(range(100, 100 + wanted))
    assert (next(numbers), count_new(document)) == (100 + wanted, 0)


def test_ids_that_are_there_stay() -> None:
    document = normalize({"shapes": [rectangle(id=5), rectangle()]}, LABELS, "update")
    assert count_new(document) == 1
    assign_ids(document, iter([9]))
    assert [shape["id"] for shape in document["shapes"]] == [5, 9]


def test_too_few_ids_are_an_error() -> None:
    with pytest.raises(StopIteration):
        assign_ids(normalize({"shapes": [rectangle()]}, LABELS, "put"), iter([]))


@given(documents())
def test_under_the_same_labels_a_document_is_itself(raw: dict[str, Any]) -> None:
    document = normalize(raw, LABELS, "put")
    assert conform(document, LABELS) == document


def test_an_attribute_added_later_shows_with_its_default_and_one_removed_shows_no_more() -> None:
    document: Document = normalize({"shapes": [rectangle()], "tags": [{"frame": 0, "label_id": TREE}]}, LABELS, "put")
    before = deepcopy(document)
    leafy = labels_with(TREE, [attribute(50, "leafy", True, "yes")])
    for kind in ("shapes", "tags"):
        assert conform(document, leafy)[kind][0]["attributes"] == [{"spec_id": 50, "value": "yes"}]
    assert conform(conform(document, leafy), LABELS) == before == document


def test_keyframes_carry_mutable_attributes_forward() -> None:
    said = [{"spec_id": BLURRED, "value": "yes"}]
    raw = track(keyframe(0), keyframe(5, attributes=said), keyframe(9), label_id=CAR)
    document = normalize({"tracks": [raw]}, LABELS, "put")
    values = [shape["attributes"][0]["value"] for shape in document["tracks"][0]["shapes"]]
    assert values == ["false", "yes", "yes"]

    lit = labels_with(CAR, [attribute(COLOR, "color", False, "red"), attribute(60, "lit", True, "no")])
    [conformed] = conform(document, lit)["tracks"]
    assert conformed["attributes"] == [{"spec_id": COLOR, "value": "red"}]
    assert [shape["attributes"] for shape in conformed["shapes"]] == [[{"spec_id": 60, "value": "no"}]] * 3
