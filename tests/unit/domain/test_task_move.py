"""A task goes to a project (CVAT contract 3.6): labels are matched by name, and what was drawn follows."""

from __future__ import annotations

from typing import Any

import pytest

from domain.annotation_history import AnnotationHistory
from domain.annotation_restoration import AnnotationRestoration
from domain.annotations import Annotations
from domain.errors import Conflict, Invalid
from domain.events.annotations import AnnotationsChanged
from domain.events.label import AttributeSpec, LabelDeleted, LabelSpec
from domain.events.task import TaskChanged, TaskMoved
from domain.job import Jobs
from domain.label import Labels
from domain.saves import Moment
from domain.task import Tasks

from . import given
from .given import ANN
from .memory_log import MemoryLog, drawn


def attribute(attribute_id: int, name: str = "color", **fields: Any) -> AttributeSpec:
    spec = AttributeSpec(
        id=attribute_id, name=name, mutable=False, input_type="select", default_value="red", values=["red", "blue"]
    )
    return {**spec, **fields}  # type: ignore[typeddict-item]


def skeleton(label_id: int, *points: LabelSpec) -> LabelSpec:
    return LabelSpec(
        id=label_id, name="person", color="#aabbcc", type="skeleton", attributes=[], sublabels=list(points), svg=""
    )


OWN = [
    given.label(1, "cat", [attribute(1), attribute(2, "age", input_type="number")]),
    given.label(2, "dog"),
    skeleton(3, given.label(4, "head")),
]
THEIRS = [
    given.label(21, "dog"),
    given.label(22, "cat", [attribute(21), attribute(22, "age", input_type="text"), attribute(23, "size")]),
    given.label(23, "bird"),
    skeleton(24, given.label(25, "foot"), given.label(26, "head")),
]


@pytest.fixture
def tasks(log: MemoryLog) -> Tasks:
    log.given(given.user(), given.task(7), given.labels(*OWN), given.job(5))
    log.given(given.project(3), given.labels(*THEIRS, project_id=3))
    return Tasks(log)


def draw(log: MemoryLog, **kinds: Any) -> None:
    Annotations(log).create(ANN, 5, kinds)


def test_labels_points_and_attributes_find_their_counterparts(log: MemoryLog, tasks: Tasks) -> None:
    point = {"type": "points", "frame": 0, "points": [1, 2], "label_id": 4}
    values = [{"spec_id": 1, "value": "blue"}, {"spec_id": 2, "value": "7"}]
    draw(
        log,
        shapes=[
            given.rectangle(0, attributes=values),
            {"type": "skeleton", "frame": 0, "label_id": 3, "points": [], "elements": [point]},
        ],
        tags=[{"frame": 1, "label_id": 2}],
        tracks=[{"frame": 0, "label_id": 2, "shapes": [{"type": "rectangle", "frame": 0, "points": [0, 0, 1, 1]}]}],
    )
    before = drawn(event.body for event in log.events)[5]  # type: ignore[arg-type]
    tasks.update(ANN, 7, {"name": "moved"}, project_id=3)
    after = drawn(event.body for event in log.events)[5]  # type: ignore[arg-type]
    edited, moved = log.then[-3:-1]
    assert isinstance(edited, TaskChanged)
    assert moved == TaskMoved(7, 3, None, [5], [[1, 22], [2, 21], [3, 24], [4, 26]], [[1, 21]])
    assert {kind: objects.keys() for kind, objects in after.items()} == {k: o.keys() for k, o in before.items()}
    box, person = after["shapes"].values()
    assert box["label_id"] == 22
    assert {a["spec_id"]: a["value"] for a in box["attributes"]} == {21: "blue", 22: "red", 23: "red"}
    assert (person["label_id"], person["elements"][0]["label_id"]) == (24, 26)
    (tag,), (track,) = after["tags"].values(), after["tracks"].values()
    assert (tag["label_id"], track["label_id"]) == (21, 21)


def test_labels_may_go_under_other_names(log: MemoryLog, tasks: Tasks) -> None:
    tasks.update(ANN, 7, {}, [{"id": 1, "name": "bird"}, {"id": 2, "name": "bird"}], 3)
    assert log.then == [TaskMoved(7, 3, None, [5], [[1, 23], [2, 23], [3, 24], [4, 26]], [])]


def test_a_label_without_a_counterpart_keeps_the_task_where_it_is(log: MemoryLog, tasks: Tasks) -> None:
    log.given(given.project(4), given.labels(given.label(31, "cat"), project_id=4))
    with pytest.raises(Invalid) as refusal:
        tasks.update(ANN, 7, {"name": "moved"}, project_id=4)
    assert "must be mapped" in refusal.value.detail[0]
    assert log.then == []


def test_what_belonged_to_a_deleted_label_goes(log: MemoryLog, tasks: Tasks) -> None:
    draw(log, tags=[{"frame": 1, "label_id": 2}, {"frame": 1, "label_id": 1}])
    Labels(log).delete(ANN, 2)
    tasks.update(ANN, 7, {}, project_id=3)
    removed = [body.removed for body in log.then if isinstance(body, AnnotationsChanged) and body.removed]
    assert removed == [{"tags": {"": [1_000]}}]
    assert [type(body) for body in log.then if isinstance(body, LabelDeleted)] == [LabelDeleted]


def test_what_is_drawn_meanwhile_is_relabeled_too(log: MemoryLog, tasks: Tasks) -> None:
    log.meanwhile(lambda: draw(log, tags=[{"frame": 1, "label_id": 2}]))
    tasks.update(ANN, 7, {}, project_id=3)
    (tag,) = drawn(event.body for event in log.events)[5]["tags"].values()  # type: ignore[arg-type]
    assert tag["label_id"] == 21


def test_from_project_to_project_and_back_to_where_it_is(log: MemoryLog, tasks: Tasks) -> None:
    log.given(given.project(4), given.labels(given.label(31, "cat"), project_id=4), given.task(8, project_id=4))
    tasks.update(ANN, 8, {}, project_id=3)
    tasks.update(ANN, 8, {}, project_id=3)
    assert log.then == [TaskMoved(8, 3, 4, [], [[31, 22]], [])]


def test_labels_of_a_task_in_a_project_are_not_its_own(log: MemoryLog, tasks: Tasks) -> None:
    log.given(given.task(8, project_id=3))
    with pytest.raises(Invalid) as refusal:
        tasks.update(ANN, 8, {}, [{"name": "fish"}])
    assert refusal.value.detail.keys() == {"labels"}


def test_a_label_of_the_task_is_gone_after_it(log: MemoryLog, tasks: Tasks) -> None:
    tasks.update(ANN, 7, {}, project_id=3)
    with pytest.raises(Invalid) as refusal:
        draw(log, tags=[{"frame": 1, "label_id": 2}])
    assert refusal.value.detail == ["label_id `2` is invalid"]


def test_a_deleted_job_does_not_come_back_under_labels_that_its_task_has_left(log: MemoryLog, tasks: Tasks) -> None:
    log.given(given.job(6, type="ground_truth"))
    jobs = Jobs(log)
    jobs.delete(ANN, 6)
    jobs.restore(ANN, 6)
    jobs.delete(ANN, 6)
    tasks.update(ANN, 7, {}, project_id=3)
    with pytest.raises(Conflict, match="task-7 went to another project"):
        jobs.restore(ANN, 6)


def test_what_was_drawn_before_comes_back_under_the_new_labels(log: MemoryLog, tasks: Tasks) -> None:
    values = [{"spec_id": 1, "value": "blue"}, {"spec_id": 2, "value": "7"}]
    draw(log, shapes=[given.rectangle(0, attributes=values)])
    Annotations(log).clear(ANN, 5)
    tasks.update(ANN, 7, {}, project_id=3)
    restored = AnnotationRestoration(log, AnnotationHistory(log)).restore(ANN, 5, Moment(1))
    assert (restored.tally.created, restored.skipped) == ({"shapes": 1}, 0)
    (box,) = drawn(event.body for event in log.events)[5]["shapes"].values()  # type: ignore[arg-type]
    assert box["label_id"] == 22
    assert {a["spec_id"]: a["value"] for a in box["attributes"]} == {21: "blue", 22: "red", 23: "red"}


def test_what_has_its_labels_back_comes_back_as_it_was(log: MemoryLog, tasks: Tasks) -> None:
    """Project 4 lacks the attribute: whoever goes there and back loses its values, but not those of later."""
    bare = [given.label(30 + number, name) for number, name in enumerate(["dog", "cat", "bird"])]
    person = skeleton(33, given.label(34, "foot"), given.label(35, "head"))
    log.given(given.project(4), given.labels(*bare, person, project_id=4))
    for project_id in (3, 4, 3):
        tasks.update(ANN, 7, {}, project_id=project_id)
    values = [{"spec_id": 21, "value": "blue"}, {"spec_id": 22, "value": "7"}, {"spec_id": 23, "value": "blue"}]
    draw(log, shapes=[given.rectangle(0, label_id=22, attributes=values)])
    Annotations(log).clear(ANN, 5)
    AnnotationRestoration(log, AnnotationHistory(log)).restore(ANN, 5, Moment(1))
    (box,) = drawn(event.body for event in log.events)[5]["shapes"].values()  # type: ignore[arg-type]
    assert (box["label_id"], box["attributes"]) == (22, values)
