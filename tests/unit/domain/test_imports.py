"""Asking for imports, and what an agent records for one."""

from __future__ import annotations

import pytest

from domain.annotations import Annotations
from domain.errors import RequestInProgress
from domain.event import Actor, Context
from domain.events.annotations import AnnotationsChanged, AnnotationsCleared, AnnotationsReplaced
from domain.events.request import RequestQueued
from domain.imports import Imports, SentFile
from domain.target import Target

from . import given
from .given import ANN
from .memory_log import MemoryLog

FILE = SentFile("mine.zip", "ab", 10)
JOB = Target("job", 3, 7, 5)
ID = "action=import&target=job&target_id=5&subresource=annotations"


def test_an_import_is_queued(log: MemoryLog) -> None:
    assert Imports(log).queue(ANN, JOB, "CVAT 1.1", FILE, import_mode="append") == ID
    params = {
        "format": "CVAT 1.1", "filename": "mine.zip", "sha256": "ab", "size": 10, "conv_mask_to_poly": None,
        "import_mode": "append",
    }  # fmt: skip
    assert log.then == [RequestQueued(ID, "import", "import", "job", "annotations", 1, "ann", 3, 7, 5, params)]


def test_a_project_gets_a_dataset(log: MemoryLog) -> None:
    project_id = Imports(log).queue(ANN, Target("project", 3), "COCO 1.0", FILE)
    assert project_id == "action=import&target=project&target_id=3&subresource=dataset"


def test_two_people_cannot_import_into_one_target_at_once(log: MemoryLog) -> None:
    imports = Imports(log)
    imports.check_free(JOB)
    imports.queue(ANN, JOB, "CVAT 1.1", FILE)
    with pytest.raises(RequestInProgress):
        imports.check_free(JOB)
    with pytest.raises(RequestInProgress):
        imports.queue(Context(Actor(2, "bob")), JOB, "COCO 1.0", FILE)


def test_each_job_gets_what_falls_into_its_frames(log_with_task: MemoryLog) -> None:
    log = log_with_task
    document = {"shapes": [given.rectangle(1), given.rectangle(8)]}
    bodies = Annotations(log).prepared(log.lookup.task_places(7), document, append=False)
    frames = {body.job_id: [s["frame"] for s in body.created["shapes"]] for body in bodies}  # type: ignore[attr-defined]
    assert frames == {5: [1, 8], 6: [8]}
    assert {type(body) for body in bodies} == {AnnotationsReplaced}
    assert log.then == []


def test_without_append_all_else_gives_way(log_with_task: MemoryLog) -> None:
    log, annotations = log_with_task, Annotations(log_with_task)
    annotations.create(ANN, 5, {"shapes": [given.rectangle(1)]})
    places, document = log.lookup.task_places(7), {"shapes": [given.rectangle(15)]}
    cleared, replaced = annotations.prepared(places, document, append=False)
    assert (type(cleared), type(replaced)) == (AnnotationsCleared, AnnotationsReplaced)
    (added,) = annotations.prepared(places, document, append=True)
    assert isinstance(added, AnnotationsChanged)
    assert (added.job_id, added.removed) == (6, {})
