"""Annotations: what people draw in a job. Changes commute; nothing is lost between command, events and what stands."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from domain.annotation.document import KINDS, Document, shape_type
from domain.annotation_events import Everything, changed, cleared, removal, replaced, split_document
from domain.annotations import Annotations
from domain.errors import Invalid, NotFound, VersionConflict
from domain.events.annotations import MAX_OBJECTS, AnnotationsChanged, AnnotationsCleared, AnnotationsReplaced
from domain.events.task import TaskDeleted
from domain.ports import JobPlace, Standing

from ..annotation.drawing import ROWS, documents
from . import given
from .given import ANN, CAT, rectangle
from .memory_log import MemoryLog, standing

LEFT, RIGHT = 5, 6
"""The jobs of frames 0..9 and 8..19."""


@pytest.fixture(name="annotations")
def use_cases(log_with_task: MemoryLog) -> Annotations:
    return Annotations(log_with_task)


@pytest.fixture
def log(log_with_task: MemoryLog) -> MemoryLog:
    return log_with_task


def ids(document: Document, kind: str = "shapes") -> list[int]:
    return [item["id"] for item in document[kind]]


def stands(log: MemoryLog, job_id: int, kind: str = "shapes") -> dict[int, dict[str, Any]]:
    return standing([event.body for event in log.events]).get(job_id, {}).get(kind, {})


class TestOneJob:
    """Commands on a job."""

    def test_new_objects_get_ids_and_are_recorded_whole(self, log: MemoryLog, annotations: Annotations) -> None:
        document = annotations.create(ANN, LEFT, {"shapes": [rectangle(1)], "tags": [{"frame": 2, "label_id": CAT}]})
        assert len({*ids(document), *ids(document, "tags")}) == 2
        stored = {kind: items for kind, items in document.items() if items}
        assert log.then == [AnnotationsChanged(LEFT, 7, None, created=stored, updated={}, removed={})]

    def test_what_is_created_adds_to_what_stands(self, log: MemoryLog, annotations: Annotations) -> None:
        first = annotations.create(ANN, LEFT, {"shapes": [rectangle(1)]})
        second = annotations.create(ANN, LEFT, {"shapes": [rectangle(1)]})
        assert list(stands(log, LEFT)) == ids(first) + ids(second)

    def test_a_put_takes_the_place_of_everything(self, log: MemoryLog, annotations: Annotations) -> None:
        annotations.create(ANN, LEFT, {"shapes": [rectangle(1)] * 2, "tags": [{"frame": 2, "label_id": CAT}]})
        document = annotations.replace(ANN, LEFT, {"shapes": [rectangle(3)]})
        assert isinstance(log.then[-1], AnnotationsReplaced)
        assert log.then[-1].removed == {"shapes": {"rectangle": 2}, "tags": {"": 1}}
        assert {kind: [len(ids) for ids in types.values()] for kind, types in log.then[-1].removed_ids.items()} == {
            "shapes": [2],
            "tags": [1],
        }
        assert list(stands(log, LEFT)) == ids(document)
        assert stands(log, LEFT, "tags") == {}

    def test_a_put_of_nothing_clears(self, log: MemoryLog, annotations: Annotations) -> None:
        known = ids(annotations.create(ANN, LEFT, {"shapes": [rectangle(1)]}))
        annotations.replace(ANN, LEFT, {})
        assert log.then[-1] == AnnotationsCleared(
            LEFT, 7, None, {"shapes": {"rectangle": 1}}, {"shapes": {"rectangle": known}}
        )

    def test_a_delete_clears(self, log: MemoryLog, annotations: Annotations) -> None:
        known = ids(annotations.create(ANN, LEFT, {"shapes": [rectangle(1)]}))
        annotations.clear(ANN, LEFT)
        assert log.then[-1] == AnnotationsCleared(
            LEFT, 7, None, {"shapes": {"rectangle": 1}}, {"shapes": {"rectangle": known}}
        )

    def test_what_stores_and_removes_nothing_is_no_event(self, log: MemoryLog, annotations: Annotations) -> None:
        annotations.create(ANN, LEFT, {})
        annotations.update(ANN, LEFT, {})
        annotations.replace(ANN, LEFT, {})
        annotations.delete(ANN, LEFT, {"shapes": [rectangle(1, id=77)]})
        annotations.clear(ANN, LEFT)
        assert log.then == []

    def test_an_update_keeps_ids_and_adds_what_has_none(self, log: MemoryLog, annotations: Annotations) -> None:
        (known,) = ids(annotations.create(ANN, LEFT, {"shapes": [rectangle(1)]}))
        document = annotations.update(ANN, LEFT, {"shapes": [rectangle(2), rectangle(3, id=known)]})
        new, kept = ids(document)
        assert kept == known != new
        assert [shape["frame"] for shape in document["shapes"]] == [2, 3]
        assert {item_id: shape["frame"] for item_id, shape in stands(log, LEFT).items()} == {known: 3, new: 2}

    def test_an_update_of_what_was_deleted_draws_it_again(self, log: MemoryLog, annotations: Annotations) -> None:
        (known,) = ids(annotations.create(ANN, LEFT, {"shapes": [rectangle(1)]}))
        annotations.clear(ANN, LEFT)
        annotations.update(ANN, LEFT, {"shapes": [rectangle(2, id=known)]})
        assert list(stands(log, LEFT)) == [known]

    def test_objects_of_another_job_are_not_taken(self, log: MemoryLog, annotations: Annotations) -> None:
        (foreign,) = ids(annotations.create(ANN, RIGHT, {"shapes": [rectangle(9)]}))
        with pytest.raises(Invalid, match="belong to another job"):
            annotations.update(ANN, LEFT, {"shapes": [rectangle(2, id=foreign)]})
        annotations.delete(ANN, LEFT, {"shapes": [rectangle(2, id=foreign)]})
        assert list(stands(log, RIGHT)) == [foreign]
        assert len(log.then) == 1

    def test_an_id_stands_for_one_kind(self, log: MemoryLog, annotations: Annotations) -> None:
        (shape,) = ids(annotations.create(ANN, LEFT, {"shapes": [rectangle(1)]}))
        with pytest.raises(Invalid):
            annotations.update(ANN, LEFT, {"tags": [{"frame": 1, "label_id": CAT, "id": shape}]})
        annotations.clear(ANN, LEFT)
        with pytest.raises(Invalid, match="one kind"):
            annotations.update(
                ANN, LEFT, {"shapes": [rectangle(1, id=shape)], "tags": [{"frame": 1, "label_id": CAT, "id": shape}]}
            )
        assert stands(log, LEFT) == {}

    def test_an_id_that_was_never_handed_out_is_refused(self, log: MemoryLog, annotations: Annotations) -> None:
        with pytest.raises(Invalid, match="never handed out"):
            annotations.update(ANN, LEFT, {"shapes": [rectangle(1, id=10**9)]})
        assert log.then == []

    def test_a_delete_names_what_it_really_removes(self, log: MemoryLog, annotations: Annotations) -> None:
        first, second = ids(annotations.create(ANN, LEFT, {"shapes": [rectangle(1), rectangle(2)]}))
        misnamed = rectangle(1, id=first) | {"type": "ellipse"}
        wanted = {"shapes": [misnamed, misnamed, rectangle(1, id=88)]}
        assert annotations.delete(ANN, LEFT, wanted)["shapes"][0]["id"] == first
        assert log.then[-1] == AnnotationsChanged(
            LEFT, 7, None, created={}, updated={}, removed={"shapes": {"rectangle": [first]}}
        )
        assert list(stands(log, LEFT)) == [second]

    @pytest.mark.parametrize("command", ["replace", "create"])
    def test_new_objects_bring_no_ids(self, log: MemoryLog, annotations: Annotations, command: str) -> None:
        with pytest.raises(Invalid):
            getattr(annotations, command)(ANN, LEFT, {"shapes": [rectangle(1, id=5)]})
        assert log.then == []

    @pytest.mark.parametrize("command", ["replace", "create", "update", "delete"])
    def test_an_unknown_job_is_not_found(self, annotations: Annotations, command: str) -> None:
        with pytest.raises(NotFound):
            getattr(annotations, command)(ANN, 99, {})
        with pytest.raises(NotFound):
            annotations.clear(ANN, 99)

    def test_the_jobs_of_a_deleted_task_are_gone(self, log: MemoryLog, annotations: Annotations) -> None:
        log.given(TaskDeleted(7, None, "cats", [LEFT, RIGHT], []))
        with pytest.raises(NotFound):
            annotations.create(ANN, LEFT, {"shapes": [rectangle(1)]})


class TestAtTheSameTime:
    """Two people in one job."""

    def test_both_stand(self, log: MemoryLog, annotations: Annotations) -> None:
        log.meanwhile(lambda: annotations.create(ANN, LEFT, {"shapes": [rectangle(1)]}))
        annotations.create(ANN, LEFT, {"shapes": [rectangle(2)]})
        assert [shape["frame"] for shape in stands(log, LEFT).values()] == [1, 2]

    def test_a_put_gives_way_to_what_comes_after_it(self, log: MemoryLog, annotations: Annotations) -> None:
        annotations.create(ANN, LEFT, {"shapes": [rectangle(1)]})
        log.meanwhile(lambda: annotations.create(ANN, LEFT, {"shapes": [rectangle(2)]}))
        annotations.replace(ANN, LEFT, {"shapes": [rectangle(3)]})
        annotations.create(ANN, LEFT, {"shapes": [rectangle(4)]})
        assert [shape["frame"] for shape in stands(log, LEFT).values()] == [3, 4]

    def test_who_wants_to_be_stopped_is(self, log: MemoryLog, annotations: Annotations) -> None:
        annotations.create(ANN, LEFT, {"shapes": [rectangle(1)]}, version=0)
        (known,) = stands(log, LEFT)
        for command in (
            lambda: annotations.create(ANN, LEFT, {"shapes": [rectangle(2)]}, version=0),
            lambda: annotations.replace(ANN, LEFT, {"shapes": [rectangle(2)]}, version=2),
            lambda: annotations.update(ANN, LEFT, {"shapes": [rectangle(2, id=known)]}, version=0),
            lambda: annotations.delete(ANN, LEFT, {"shapes": [rectangle(2, id=known)]}, version=0),
            lambda: annotations.clear(ANN, LEFT, version=0),
        ):
            with pytest.raises(VersionConflict) as conflict:
                command()
            assert (conflict.value.stream, conflict.value.actual) == (f"annotations-{LEFT}", 1)
        annotations.clear(ANN, LEFT, version=1)
        assert stands(log, LEFT) == {}

    def test_a_large_change_insists_once(self, log: MemoryLog, annotations: Annotations) -> None:
        annotations.create(ANN, LEFT, {"shapes": [rectangle(1)] * (MAX_OBJECTS + 1)}, version=0)
        assert [event.originator_version for event in log.events if event.originator_id == "annotations-5"] == [1, 2]


class TestWholeTask:
    """Commands on a task are shared out among its jobs."""

    def test_an_object_goes_to_every_job_that_has_its_frame(self, log: MemoryLog, annotations: Annotations) -> None:
        shapes = [rectangle(frame) for frame in (0, 9, 19, 20)]
        merged = annotations.create_in_task(ANN, 7, {"shapes": shapes})
        assert [shape["frame"] for shape in stands(log, LEFT).values()] == [0, 9]
        assert [shape["frame"] for shape in stands(log, RIGHT).values()] == [9, 19]
        assert [shape["frame"] for shape in merged["shapes"]] == [0, 9, 19]
        assert len({*stands(log, LEFT), *stands(log, RIGHT)}) == 4
        assert log.events[-1].meta is log.events[-2].meta

    def test_a_put_replaces_in_every_job_also_where_nothing_falls(
        self, log: MemoryLog, annotations: Annotations
    ) -> None:
        annotations.create_in_task(ANN, 7, {"shapes": [rectangle(0), rectangle(19)]})
        annotations.replace_in_task(ANN, 7, {"shapes": [rectangle(1)]})
        assert [type(body) for body in log.then[2:]] == [AnnotationsReplaced, AnnotationsCleared]
        assert [shape["frame"] for shape in stands(log, LEFT).values()] == [1]
        assert stands(log, RIGHT) == {}

    def test_an_update_finds_the_jobs_by_the_ids(self, log: MemoryLog, annotations: Annotations) -> None:
        annotations.create_in_task(ANN, 7, {"shapes": [rectangle(0), rectangle(19)]})
        (left,), (right,) = stands(log, LEFT), stands(log, RIGHT)
        document = annotations.update_in_task(
            ANN, 7, {"shapes": [rectangle(18, id=right), rectangle(1, id=left), rectangle(3)]}
        )
        assert [shape["frame"] for shape in stands(log, LEFT).values()] == [1, 3]
        assert [shape["frame"] for shape in stands(log, RIGHT).values()] == [18]
        assert {*ids(document)} == {*stands(log, LEFT), *stands(log, RIGHT)}, "every object is answered with its id"

    def test_an_update_of_what_is_not_in_the_task_is_refused(self, log: MemoryLog, annotations: Annotations) -> None:
        log.given(given.task(8), given.labels(given.label(2), task_id=8), given.job(50, task_id=8))
        (foreign,) = ids(annotations.create(ANN, 50, {"shapes": [rectangle(0, label_id=2)]}))
        with pytest.raises(Invalid, match=f"no object {foreign}"):
            annotations.update_in_task(ANN, 7, {"shapes": [rectangle(1, id=foreign), rectangle(2)]})
        assert len(log.then) == 1

    def test_a_delete_finds_the_jobs_by_the_ids(self, log: MemoryLog, annotations: Annotations) -> None:
        annotations.create_in_task(ANN, 7, {"shapes": [rectangle(0), rectangle(9), rectangle(19)]})
        gone = [*stands(log, LEFT)][:1] + [*stands(log, RIGHT)][-1:]
        annotations.delete_in_task(ANN, 7, {"shapes": [rectangle(0, id=item_id) for item_id in [*gone, 777]]})
        assert [shape["frame"] for job in (LEFT, RIGHT) for shape in stands(log, job).values()] == [9, 9]

    def test_everything_is_cleared(self, log: MemoryLog, annotations: Annotations) -> None:
        known = ids(annotations.create_in_task(ANN, 7, {"shapes": [rectangle(0)]}))
        annotations.clear_task(ANN, 7)
        assert log.then[1:] == [
            AnnotationsCleared(LEFT, 7, None, {"shapes": {"rectangle": 1}}, {"shapes": {"rectangle": known}})
        ]

    def test_what_stores_nothing_is_no_event(self, log: MemoryLog, annotations: Annotations) -> None:
        annotations.create_in_task(ANN, 7, {"shapes": [rectangle(99)]})
        annotations.replace_in_task(ANN, 7, {})
        annotations.clear_task(ANN, 7)
        annotations.delete_in_task(ANN, 7, {})
        assert log.then == []


class TestParts:
    """Large documents are several events."""

    @hypothesis_given(sizes=st.tuples(*[st.integers(0, 12)] * 4), size=st.integers(1, 7))
    def test_a_split_keeps_every_object_in_order(self, sizes: tuple[int, ...], size: int) -> None:
        document: Document = {
            kind: [{"id": (kind, n)} for n in range(count)] for kind, count in zip(KINDS, sizes, strict=True)
        }
        parts = list(split_document(document, size))
        everything = [item for part in parts for kind in KINDS for item in part.get(kind, [])]
        assert everything == [item for kind in KINDS for item in document[kind]]
        counts = [sum(map(len, part.values())) for part in parts]
        assert all(count == size for count in counts[:-1])
        assert all(0 < count <= size for count in counts)
        assert all(items for part in parts for items in part.values()), "kinds without objects are left out"

    @hypothesis_given(documents())
    def test_what_is_stored_is_what_was_answered(self, raw: Document) -> None:
        log = labelled_log()
        annotations = Annotations(log)
        for command in (annotations.create, annotations.replace):
            stored = command(ANN, LEFT, raw)
            for kind in KINDS:
                assert stands(log, LEFT, kind) == {item["id"]: item for item in stored[kind]}
        assert annotations.update(ANN, LEFT, stored) == stored
        annotations.delete(ANN, LEFT, stored)
        assert not any(stands(log, LEFT, kind) for kind in KINDS)

    @pytest.mark.parametrize("count", [0, MAX_OBJECTS, MAX_OBJECTS + 1, 3 * MAX_OBJECTS])
    def test_a_large_put_is_recorded_in_one_go(self, log: MemoryLog, annotations: Annotations, count: int) -> None:
        annotations.create(ANN, LEFT, {"shapes": [rectangle(1)]})
        annotations.replace(ANN, LEFT, {"shapes": [rectangle(2)] * count})
        first, *more = log.then[1:]
        assert type(first) is (AnnotationsReplaced if count else AnnotationsCleared)
        assert len(more) == max(0, -(-count // MAX_OBJECTS) - 1)
        assert len(stands(log, LEFT)) == count
        assert len({event.meta.time for event in log.events[-len(more) - 1 :]}) == 1

    def test_the_events_of_a_change_remove_before_they_draw(self) -> None:
        place = JobPlace(5, 7, None, 0, 9, annotations_labels())
        bodies = changed(place, {"shapes": [{"id": 1}]}, {"shapes": [{"id": 2}]}, {"tags": {"": [3]}})
        assert [(body.removed, body.updated, body.created) for body in bodies] == [  # type: ignore[attr-defined]
            ({"tags": {"": [3]}}, {}, {}),
            ({}, {"shapes": [{"id": 2}]}, {}),
            ({}, {}, {"shapes": [{"id": 1}]}),
        ]

    def test_nothing_is_cleared_where_nothing_stands(self) -> None:
        place = JobPlace(5, 7, None, 0, 9, annotations_labels())
        assert cleared(place, Everything()) == replaced(place, {}, Everything()) == []
        tag = Everything({"tags": {"": 1}}, {"tags": {"": [3]}})
        assert replaced(place, {}, tag) == [AnnotationsCleared(5, 7, None, {"tags": {"": 1}}, {"tags": {"": [3]}})]

    def test_only_what_stands_in_the_job_is_removed(self) -> None:
        found = {"tags": {1: Standing(6, "")}, "shapes": {2: Standing(5, "mask"), 3: Standing(0, "rectangle")}}
        assert removal(found, 5) == {"shapes": {"mask": [2]}}

    @pytest.mark.parametrize(
        ("kind", "item", "name"),
        [
            ("tags", {}, ""),
            ("intervals", {}, ""),
            ("shapes", {"type": "polygon"}, "polygon"),
            ("tracks", {"shapes": [{"type": "mask"}, {"type": "polygon"}], "elements": []}, "mask"),
            ("tracks", {"shapes": [{"type": "skeleton"}], "elements": [{}]}, "skeleton"),
            ("tracks", {"shapes": [], "elements": []}, ""),
        ],
    )
    def test_objects_are_counted_by_type(self, kind: str, item: dict[str, Any], name: str) -> None:
        assert shape_type(kind, item) == name


def annotations_labels() -> Any:
    return labelled_log().lookup.job_place(LEFT).labels


def labelled_log() -> MemoryLog:
    """Job 5 of task 7, with the labels of the drawings."""
    log = MemoryLog()
    log.given(given.task(), given.labels(*ROWS), given.job(LEFT))  # type: ignore[arg-type]
    return log
