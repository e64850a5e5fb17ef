"""Time travel: what stood at a version, what changed between two, who changed what, and bringing it back."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given as hypothesis_given
from hypothesis import settings
from hypothesis import strategies as st

from domain.annotation.document import KINDS, Document
from domain.annotation.timeline import Difference, Objects
from domain.annotation_history import AnnotationHistory
from domain.annotation_restoration import AnnotationRestoration
from domain.annotations import Annotations
from domain.errors import Forbidden, Invalid, NotFound, VersionConflict
from domain.events.annotations import MAX_OBJECTS, AnnotationsRestored
from domain.events.label import LabelDeleted, LabelRestored
from domain.retry import ATTEMPTS
from domain.saves import NOW, Moment

from ..annotation.drawing import ROWS, documents
from . import given
from .given import ANN, CAT, rectangle
from .memory_log import START, MemoryLog, drawn

LEFT, RIGHT, TASK = 5, 6, 7
"""The jobs of frames 0..9 and 8..19, and their task."""
DOG = 2


class People:
    """Everything that one can do to the annotations of task 7, and what a GET showed after each save."""

    def __init__(self, *specs: Any) -> None:
        self.log = MemoryLog()
        jobs = (given.job(LEFT, frames=(0, 9)), given.job(RIGHT, frames=(8, 19)))
        self.log.given(given.user(), given.task(), given.labels(*specs), *jobs)
        self.annotations = Annotations(self.log)
        self.history = AnnotationHistory(self.log)
        self.restoration = AnnotationRestoration(self.log, self.history)

    def stands(self, job_id: int = LEFT) -> Objects:
        """By definition: one event after the other."""
        found = drawn([event.body for event in self.log.events]).get(job_id, {})
        return {kind: dict(found.get(kind, {})) for kind in KINDS}

    def head(self, job_id: int = LEFT) -> int:
        return sum(event.originator_id == f"annotations-{job_id}" for event in self.log.events)

    def at(self, version: int, job_id: int = LEFT) -> Objects:
        (drawing,) = self.history.past(self.history.job(job_id), Moment(version)).drawings
        assert drawing.version == version
        return drawing.objects

    def draw(self, *items: dict[str, Any], job_id: int = LEFT) -> list[int]:
        return ids(self.annotations.create(ANN, job_id, {"shapes": list(items)}))

    def restore(self, version: int, job_id: int = LEFT) -> Any:
        return self.restoration.restore(ANN, job_id, Moment(version))


@pytest.fixture
def people() -> People:
    return People(given.label(CAT), given.label(DOG, "dog"))


def ids(document: Document, kind: str = "shapes") -> list[int]:
    return [item["id"] for item in document[kind]]


def applied(objects: Objects, change: Difference) -> Objects:
    result: Objects = {}
    for kind in KINDS:
        gone = {item["id"] for item in change.deleted[kind]}
        assert gone <= objects[kind].keys()
        rest = {number: item for number, item in objects[kind].items() if number not in gone}
        assert all(rest[old["id"]] == old for old, _ in change.updated[kind])
        put = [*(new for _, new in change.updated[kind]), *change.created[kind]]
        result[kind] = rest | {item["id"]: item for item in put}
    return result


def saves() -> st.SearchStrategy[list[tuple[str, Any, int]]]:
    """What somebody does, with what, and to which of the objects that stand."""
    verbs = st.sampled_from(["create", "create", "replace", "update", "delete", "clear", "restore", "task"])
    return st.lists(st.tuples(verbs, documents(), st.integers(0, 20)), max_size=8)


def happen(people: People, verb: str, document: Document, number: int) -> None:
    annotations = people.annotations
    standing = {kind: list(objects.values()) for kind, objects in people.stands().items()}
    some = {kind: items[number % 3 :][: number % 4] for kind, items in standing.items()}
    if verb == "restore":
        with suppress(Invalid):  # the version may be half a save
            people.restore(number % (people.head() + 1))
    elif verb == "task":
        annotations.create_in_task(ANN, TASK, document)
    elif verb == "clear":
        annotations.clear(ANN, LEFT)
    elif verb == "delete":
        annotations.delete(ANN, LEFT, some)
    elif verb == "update":
        moved = {k: [i | {"group": number} if k != "intervals" else i for i in items] for k, items in some.items()}
        annotations.update(ANN, LEFT, moved)
    else:
        action: Callable[..., Any] = getattr(annotations, verb)
        action(ANN, LEFT, document)


class TestAnyHistory:
    """Whatever people do, in whatever order."""

    @settings(max_examples=40)
    @hypothesis_given(saves(), st.data())
    def test_each_version_shows_what_was_shown_then(
        self, steps: list[tuple[str, Any, int]], data: st.DataObject
    ) -> None:
        people = People(*ROWS)
        shown = {0: people.stands()}
        for verb, document, number in steps:
            happen(people, verb, document, number)
            shown[people.head()] = people.stands()
        assert {version: people.at(version) for version in shown} == shown

        start, end, back = (data.draw(st.sampled_from(sorted(shown))) for _ in range(3))
        old, new, (change,) = people.history.difference(people.history.job(LEFT), Moment(start), Moment(end))
        assert (old.version, new.version) == (start, end)
        assert applied(shown[start], change) == shown[end]

        before = list(people.log.events)
        result = people.restore(back)
        assert people.stands() == shown[back]
        assert people.log.events[: len(before)] == before
        assert result.recorded == (len(people.log.events) > len(before)) == (shown[max(shown)] != shown[back])
        assert {version: people.at(version) for version in shown} == shown

    @settings(max_examples=40)
    @hypothesis_given(saves())
    def test_the_life_of_each_object_agrees_with_what_was_shown(self, steps: list[tuple[str, Any, int]]) -> None:
        people = People(*ROWS)
        shown = {0: people.stands()}
        for verb, document, number in steps:
            happen(people, verb, document, number)
            shown[people.head()] = people.stands()
        for kind in KINDS:
            for number in {number for objects in shown.values() for number in objects[kind]}:
                item, told = None, {}
                life = people.history.life(people.history.job(LEFT), kind, number)
                by_version = {step.event.originator_version: step for step in life}
                for version in shown:
                    item = by_version[version].item if version in by_version else item
                    told[version] = item
                assert told == {version: objects[kind].get(number) for version, objects in shown.items()}
                assert life[0].happening == "created"


class TestHistory:
    """Who changed what."""

    def test_a_change_counts_what_one_save_did(self, people: People) -> None:
        one, two = people.draw(rectangle(1), rectangle(2))
        document = {"shapes": [rectangle(3, id=one), rectangle(4)]}
        people.annotations.update(ANN, LEFT, document)
        people.annotations.delete(ANN, LEFT, {"shapes": [rectangle(2, id=two)]})
        people.annotations.clear(ANN, LEFT)
        people.restore(1)
        total, changes = people.history.changes(people.history.job(LEFT), None, 0)
        found = [
            (c.save.version, c.tally.created["shapes"], c.tally.updated["shapes"], c.tally.deleted["shapes"])
            for c in changes
        ]
        assert found == [(6, 2, 0, 0), (5, 0, 0, 2), (4, 0, 0, 1), (3, 1, 1, 0), (1, 2, 0, 0)]
        assert total == 5

    def test_a_large_save_is_one_change(self, people: People) -> None:
        people.annotations.replace(ANN, LEFT, {"tags": [{"frame": 1, "label_id": CAT}] * (MAX_OBJECTS + 1)})
        ((change,), total) = (list(people.history.changes(people.history.job(LEFT), 10, 0)[1]), 1)
        assert (change.save.version, change.tally.created["tags"], total) == (2, MAX_OBJECTS + 1, 1)
        with pytest.raises(Invalid, match="middle of one save"):
            people.at(1)
        assert len(people.at(2)["tags"]) == MAX_OBJECTS + 1

    def test_a_moment_is_a_version_or_a_time(self, people: People) -> None:
        job = people.history.job(LEFT)
        people.draw(rectangle(1))
        then = people.log.events[-1].meta.time
        people.draw(rectangle(2))

        def count(moment: Moment) -> tuple[int, int]:
            past = people.history.past(job, moment)
            return past.version, len(past.document()["shapes"])

        assert [count(Moment(0)), count(Moment(1)), count(Moment(2)), count(NOW)] == [(0, 0), (1, 1), (2, 2), (2, 2)]
        just_before = then - timedelta(microseconds=1)
        assert [count(Moment(as_of=time)) for time in (START, just_before, then)] == [(0, 0), (0, 0), (1, 1)]
        with pytest.raises(NotFound, match="have no version 3"):
            count(Moment(3))

    def test_what_was_hidden_with_its_label_is_not_seen(self, people: People) -> None:
        people.draw(rectangle(1), rectangle(2, label_id=DOG))
        people.log.record(ANN, [LabelDeleted(None, TASK, DOG, "dog", [])])
        deleted = people.log.events[-1].meta.time
        people.draw(rectangle(3))
        people.log.record(ANN, [LabelRestored(None, TASK, DOG, "dog", 6, [])])
        people.draw(rectangle(4))
        assert [len(people.at(version)["shapes"]) for version in (1, 2, 3)] == [2, 2, 4]
        (drawing,) = people.history.past(people.history.job(LEFT), Moment(as_of=deleted)).drawings
        assert len(drawing.objects["shapes"]) == 1

    def test_an_object_that_never_was_has_no_life(self, people: People) -> None:
        (shape,) = people.draw(rectangle(1), job_id=RIGHT)
        for kind, number in (("shapes", shape), ("tags", shape), ("shapes", 77)):
            with pytest.raises(NotFound):
                people.history.life(people.history.job(LEFT), kind, number)

    def test_the_steps_of_a_life(self, people: People) -> None:
        (shape,) = people.draw(rectangle(1))
        people.annotations.update(ANN, LEFT, {"shapes": [rectangle(2, id=shape)]})
        people.draw(rectangle(3))
        people.annotations.clear(ANN, LEFT)
        people.restore(1)
        life = people.history.life(people.history.job(LEFT), "shapes", shape)
        told = [(step.event.originator_version, step.happening, step.item and step.item["frame"]) for step in life]
        assert told == [(1, "created", 1), (2, "updated", 2), (4, "deleted", None), (5, "restored", 1)]


class TestRestore:
    """Bringing back."""

    def test_only_what_changes_is_recorded(self, people: People) -> None:
        kept, moved, gone = people.draw(rectangle(1), rectangle(2), rectangle(3))
        people.annotations.update(ANN, LEFT, {"shapes": [rectangle(5, id=moved)]})
        people.annotations.delete(ANN, LEFT, {"shapes": [rectangle(3, id=gone)]})
        (late,) = people.draw(rectangle(6))
        result = people.restore(1)
        restored = [body for body in people.log.then if isinstance(body, AnnotationsRestored)]
        assert {body.version for body in restored} == {1}
        assert [body.removed for body in restored if body.removed] == [{"shapes": {"rectangle": [late]}}]
        assert [ids(body.updated) for body in restored if body.updated] == [[moved]]
        assert [ids(body.created) for body in restored if body.created] == [[gone]]
        assert sorted(people.stands()["shapes"]) == sorted([kept, moved, gone])
        assert (result.version, result.source, result.skipped) == (7, 1, 0)

    def test_what_already_stands_is_not_recorded(self, people: People) -> None:
        people.draw(rectangle(1))
        before = len(people.log.events)
        result = people.restore(1)
        assert (result.recorded, result.version, len(people.log.events)) == (False, 1, before)

    def test_objects_whose_label_is_gone_are_left_out(self, people: People) -> None:
        cat, _dog = people.draw(rectangle(1), rectangle(2, label_id=DOG))
        people.annotations.clear(ANN, LEFT)
        people.log.record(ANN, [LabelDeleted(None, TASK, DOG, "dog", [])])
        assert people.restore(1).skipped == 1
        assert list(people.stands()["shapes"]) == [cat]

    def test_an_id_that_stands_in_another_job_is_left_there(self, people: People) -> None:
        one, two = people.draw(rectangle(8), rectangle(9))
        people.annotations.clear(ANN, LEFT)
        people.annotations.update(ANN, RIGHT, {"shapes": [rectangle(10, id=one)]})
        assert people.restore(1).skipped == 1
        assert (list(people.stands(LEFT)["shapes"]), list(people.stands(RIGHT)["shapes"])) == ([two], [one])

    def test_it_is_decided_again_on_what_others_left(self, people: People) -> None:
        (shape,) = people.draw(rectangle(1))
        people.annotations.clear(ANN, LEFT)
        people.log.meanwhile(lambda: people.draw(rectangle(2)), lambda: people.draw(rectangle(3)))
        assert people.restore(1).version == 6
        assert list(people.stands()["shapes"]) == [shape]

    def test_where_others_never_pause_their_last_stands_beside_it(self, people: People) -> None:
        (shape,) = people.draw(rectangle(1))
        people.annotations.clear(ANN, LEFT)
        drawn: list[int] = []
        people.log.meanwhile(*(lambda: drawn.extend(people.draw(rectangle(2))) for _ in range(ATTEMPTS + 1)))
        people.restore(1)
        assert len(drawn) == ATTEMPTS + 1
        assert list(people.stands()["shapes"]) == [drawn[-1], shape]

    def test_who_insists_on_a_version_is_stopped(self, people: People) -> None:
        people.draw(rectangle(1))
        people.draw(rectangle(2))
        with pytest.raises(VersionConflict):
            people.restoration.restore(ANN, LEFT, Moment(1), version=1)
        people.restoration.restore(ANN, LEFT, Moment(1), version=2)
        assert len(people.stands()["shapes"]) == 1

    def test_who_may_not_draw_there_may_not_restore(self, people: People) -> None:
        def nobody(_place: Any) -> None:
            raise Forbidden

        people.draw(rectangle(1))
        with pytest.raises(Forbidden):
            people.restoration.restore(ANN, LEFT, Moment(0), permit=nobody)

    def test_a_task_comes_back_in_one_save(self, people: People) -> None:
        people.annotations.create_in_task(ANN, TASK, {"shapes": [rectangle(1), rectangle(9), rectangle(15)]})
        then, left, right = people.log.events[-1].position, people.stands(LEFT), people.stands(RIGHT)
        people.annotations.clear(ANN, LEFT)
        people.draw(rectangle(10), job_id=RIGHT)
        result = people.restoration.restore_task(ANN, TASK, Moment(then))
        assert (people.stands(LEFT), people.stands(RIGHT)) == (left, right)
        restored = [body for body in people.log.then if isinstance(body, AnnotationsRestored)]
        assert {(body.job_id, body.version) for body in restored} == {(LEFT, 1), (RIGHT, 1)}
        total, changes = people.history.changes(people.history.task(TASK), 1, 0)
        (last,) = changes
        assert (total, last.save.last, last.save.job_ids) == (4, result.version, (LEFT, RIGHT))
        assert not people.restoration.restore_task(ANN, TASK, Moment(result.version)).recorded
