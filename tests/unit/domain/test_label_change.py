"""Editing labels (CVAT contract 3.6): what may change, what may not, and what is recorded."""

from __future__ import annotations

from typing import Any

import pytest

from domain.errors import Invalid, NotFound
from domain.events.label import AttributeSpec, LabelChanged, LabelDeleted, LabelsAdded, LabelSpec, NamedLabel
from domain.label import Labels
from domain.label_change import change, edits
from domain.label_set import LabelSet, evolve
from domain.label_spec import color_of
from domain.ports import LabelParent

from . import given
from .given import ANN
from .memory_log import CountingIds, MemoryLog

TASK = LabelParent(None, 7)
COLORS = AttributeSpec(
    id=1, name="color", mutable=False, input_type="select", default_value="red", values=["red", "blue"]
)
NOTE = AttributeSpec(id=2, name="note", mutable=True, input_type="text", default_value="", values=[""])
CAR = given.label(1, "car", [COLORS, NOTE])
PERSON = LabelSpec(
    id=3, name="person", color="#aabbcc", type="skeleton", attributes=[],
    sublabels=[given.label(4, "head"), given.label(5, "foot")], svg='<circle data-label-id="4"/>',
)  # fmt: skip


def new_ids() -> CountingIds:
    ids = CountingIds()
    ids.many("label", 50)
    ids.many("attribute", 50)
    return ids


def changed(label: LabelSpec, **wanted: Any) -> LabelSpec:
    return change(label, wanted, new_ids())


def refusal(label: LabelSpec, **wanted: Any) -> Any:
    with pytest.raises(Invalid) as refused:
        changed(label, **wanted)
    return refused.value.detail


def test_what_is_not_named_stays() -> None:
    assert changed(CAR) == CAR
    assert changed(CAR, name="van") == {**CAR, "name": "van"}
    assert changed(PERSON) == PERSON


def test_a_blank_color_is_chosen_by_the_name() -> None:
    assert changed(CAR, color="")["color"] == color_of("car")
    assert changed(CAR, name="van", color=None)["color"] == color_of("van")


def test_attributes_are_known_by_id_or_name_and_new_ones_come_last() -> None:
    wanted = [{"id": 2, "name": "remark"}, {"name": "color", "default_value": "blue"}, {"name": "age"} | NUMBER]
    color, note, age = changed(CAR, attributes=wanted)["attributes"]
    assert (color["id"], color["default_value"], color["values"]) == (1, "blue", ["red", "blue"])
    assert note == {**NOTE, "name": "remark"}
    assert (age["id"], age["name"], age["values"]) == (51, "age", ["0", "9", "1"])


NUMBER = {"input_type": "number", "values": ["0", "9", "1"]}


def test_choices_may_be_added_and_texts_replaced() -> None:
    color, _ = changed(CAR, attributes=[{"id": 1, "values": ["blue", "green", "red"]}])["attributes"]
    assert color["values"] == ["blue", "green", "red"]
    _, note = changed(CAR, attributes=[{"id": 2, "values": ["anything"]}])["attributes"]
    assert note["values"] == ["anything"]


@pytest.mark.parametrize(
    ("attribute", "word"),
    [
        ({"id": 1, "mutable": True}, "mutable"),
        ({"id": 1, "input_type": "radio"}, "input_type"),
        ({"id": 1, "values": ["red"]}, "blue"),
        ({"name": "age"}, "not a valid choice"),
        ({"id": 2, "name": "color"}, "unique"),
    ],
)
def test_what_an_attribute_may_not_become(attribute: dict[str, Any], word: str) -> None:
    assert word in str(refusal(CAR, attributes=[attribute])["attributes" if word != "unique" else "labels"])


def test_a_skeleton_keeps_its_points_and_may_get_more() -> None:
    svg = '<circle data-label-id="4"/><circle data-label-name="hand"/>'
    new = changed(PERSON, sublabels=[{"id": 5, "color": "#000000"}, {"name": "hand"}], svg=svg)
    assert [(point["id"], point["name"]) for point in new["sublabels"]] == [(4, "head"), (5, "foot"), (51, "hand")]
    assert new["sublabels"][1]["color"] == "#000000"
    assert new["svg"] == '<circle data-label-id="4"/><circle data-label-id="51"/>'
    assert "point" in str(refusal(PERSON, sublabels=[{"id": 5, "deleted": True}]))


def test_a_new_point_is_no_skeleton() -> None:
    hand = {"name": "hand", "type": "skeleton", "sublabels": [{"name": "thumb"}]}
    assert "skeleton" in str(refusal(PERSON, sublabels=[hand])["labels"])


def test_a_skeleton_stays_one_and_others_never_become_one() -> None:
    assert refusal(PERSON, type="points").keys() == refusal(CAR, type="skeleton").keys() == {"type"}
    assert changed(CAR, type="polygon")["type"] == "polygon"


@pytest.mark.parametrize("entry", [{"attributes": [{"id": 9}]}])
def test_an_unknown_attribute_is_not_found(entry: dict[str, Any]) -> None:
    with pytest.raises(NotFound):
        changed(CAR, **entry)


def bodies(*wanted: dict[str, Any]) -> list[Any]:
    labels = evolve(LabelSet(), given.labels(CAR, PERSON))
    return edits(labels, TASK, wanted, new_ids())


def test_a_list_changes_deletes_and_adds_and_leaves_the_rest_alone() -> None:
    gone, renamed, added = bodies({"id": 3, "deleted": True}, {"name": "person"}, {"id": 1, "name": "van"})
    points = [NamedLabel(id=4, name="head"), NamedLabel(id=5, name="foot")]
    assert gone == LabelDeleted(None, 7, 3, "person", points)
    assert isinstance(renamed, LabelChanged)
    assert renamed.changes == {"name": {"from": "car", "to": "van"}}
    assert renamed.label == {**CAR, "name": "van"}
    assert isinstance(added, LabelsAdded)
    assert [label["name"] for label in added.labels] == ["person"]


def test_a_label_that_is_named_again_is_edited_as_the_first_edit_left_it() -> None:
    first, second = bodies({"id": 1, "name": "van"}, {"id": 1, "color": "#010203"})
    assert first.label == {**CAR, "name": "van"}
    assert second.label == {**CAR, "name": "van", "color": "#010203"}
    assert second.changes.keys() == {"color"}


@pytest.mark.parametrize("again", [{"deleted": True}, {"name": "van"}])
def test_a_label_that_was_just_deleted_is_not_found(again: dict[str, Any]) -> None:
    with pytest.raises(NotFound):
        bodies({"id": 1, "deleted": True}, {"id": 1} | again)


def test_names_may_be_swapped_but_not_doubled() -> None:
    assert len(bodies({"id": 1, "name": "person"}, {"id": 3, "name": "car"})) == 2
    for doubled in ([{"id": 1, "name": "person"}], [{"name": "car"}], [{"name": "x"}, {"name": "x"}]):
        with pytest.raises(Invalid):
            bodies(*doubled)


def test_nothing_new_is_no_event() -> None:
    assert bodies({"id": 1, "name": "car"}, {"id": 3}) == []


def test_an_unknown_label_is_not_found_and_a_new_one_not_deleted() -> None:
    with pytest.raises(NotFound):
        bodies({"id": 9, "name": "x"})
    with pytest.raises(Invalid):
        bodies({"name": "x", "deleted": True})


def test_one_label_is_edited_by_itself(log: MemoryLog) -> None:
    log.given(given.task(7), given.labels(CAR, PERSON))
    labels = Labels(log)
    labels.update(ANN, 1, {"name": "van"})
    labels.update(ANN, 1, {"name": "van"})
    (renamed,) = log.then
    assert isinstance(renamed, LabelChanged)
    with pytest.raises(Invalid):
        labels.update(ANN, 1, {"name": "person"})
    with pytest.raises(Invalid):
        labels.update(ANN, 4, {"name": "nose"})


def test_a_restored_label_is_as_it_was_last(log: MemoryLog) -> None:
    log.given(given.task(7), given.labels(CAR))
    labels = Labels(log)
    labels.update(ANN, 1, {"name": "van"})
    labels.delete(ANN, 1)
    labels.restore(ANN, 1)
    state, _ = log.load("task-7", evolve, LabelSet())
    assert state.labels == {1: {**CAR, "name": "van"}}


def test_an_edit_is_folded_without_a_copy_of_all_other_labels() -> None:
    """Thousands of labels for each of thousands of edits would take minutes."""
    many = range(1, 101)
    labels = evolve(LabelSet(), given.labels(*(given.label(number, str(number)) for number in many)))
    standing, gone = labels.labels, labels.gone
    for number in many:
        labels = evolve(labels, LabelDeleted(None, 7, number, str(number), []))
    assert (len(labels.labels), len(labels.gone)) == (0, 100)
    assert labels.labels is standing
    assert labels.gone is gone
