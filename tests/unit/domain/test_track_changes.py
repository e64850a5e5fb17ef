"""What events say of tracks: by how many their visible shapes are more or fewer, and what a removed one had."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given as hypothesis_given
from hypothesis import strategies as st

from domain.annotation.visibility import visible_shapes
from domain.annotation_history import AnnotationHistory
from domain.annotation_restoration import AnnotationRestoration
from domain.annotations import Annotations
from domain.errors import Invalid
from domain.events.annotations import MAX_OBJECTS, AnnotationsCleared, TrackChange
from domain.saves import Moment
from domain.task import Tasks

from . import given
from .given import ANN, CAT
from .memory_log import MemoryLog, standing
from .test_annotations import LEFT, RIGHT


@pytest.fixture(name="annotations")
def use_cases(log_with_task: MemoryLog) -> Annotations:
    return Annotations(log_with_task)


@pytest.fixture
def log(log_with_task: MemoryLog) -> MemoryLog:
    return log_with_task


def track(*frames: tuple[int, bool], **fields: Any) -> dict[str, Any]:
    """Keyframes at these frames, outside or not."""
    shapes = [
        {"type": "rectangle", "frame": frame, "points": [0, 0, 1, 1], "outside": outside} for frame, outside in frames
    ]
    return {"frame": frames[0][0], "label_id": CAT, "shapes": shapes, **fields}


def told(log: MemoryLog) -> list[TrackChange]:
    """By the last event."""
    changes: list[TrackChange] = log.then[-1].tracks  # type: ignore[attr-defined]
    return changes


def drawn(annotations: Annotations, *tracks: dict[str, Any], job_id: int = LEFT) -> list[dict[str, Any]]:
    return annotations.create(ANN, job_id, {"tracks": [*tracks]})["tracks"]


def test_a_new_track_shows_up_to_the_end_of_its_job(log: MemoryLog, annotations: Annotations) -> None:
    first, second = drawn(annotations, track((2, False)), track((2, False), (5, True)))
    assert told(log) == [{"id": first["id"], "visible": 8}, {"id": second["id"], "visible": 3}]
    (third,) = drawn(annotations, track((12, False)), job_id=RIGHT)
    assert told(log) == [{"id": third["id"], "visible": 8}]


def test_a_redrawn_one_shows_more_or_less(log: MemoryLog, annotations: Annotations) -> None:
    (item,) = drawn(annotations, track((2, False), (5, True)))
    annotations.update(ANN, LEFT, {"tracks": [track((2, False), (9, True), id=item["id"])]})
    assert told(log) == [{"id": item["id"], "visible": 4}]
    annotations.update_in_task(ANN, 7, {"tracks": [track((2, False), (3, True), id=item["id"])]})
    assert told(log) == [{"id": item["id"], "visible": -6}]


def test_one_that_was_deleted_meanwhile_shows_anew(log: MemoryLog, annotations: Annotations) -> None:
    (item,) = drawn(annotations, track((2, False), (5, True)))
    annotations.clear(ANN, LEFT)
    annotations.update(ANN, LEFT, {"tracks": [track((2, False), (5, True), id=item["id"])]})
    assert told(log) == [{"id": item["id"], "visible": 3}]


@pytest.mark.parametrize("way", ["delete", "delete_in_task", "clear", "clear_task", "replace"])
def test_a_removed_one_shows_no_more_whichever_way(log: MemoryLog, annotations: Annotations, way: str) -> None:
    (item,) = drawn(annotations, track((2, False), (5, True)))
    match way:
        case "delete":
            annotations.delete(ANN, LEFT, {"tracks": [item]})
        case "delete_in_task":
            annotations.delete_in_task(ANN, 7, {"tracks": [item]})
        case "clear":
            annotations.clear(ANN, LEFT)
        case "clear_task":
            annotations.clear_task(ANN, 7)
        case "replace":
            annotations.replace(ANN, LEFT, {"tracks": [track((0, False))]})
    keyframes = [shape["id"] for shape in item["shapes"]]
    assert told(log)[0] == {"id": item["id"], "visible": -3, "keyframes": keyframes}
    assert [change["visible"] for change in told(log)[1:]] == ([10] if way == "replace" else [])


def test_where_a_task_goes_its_tracks_show_as_they_did(log: MemoryLog, annotations: Annotations) -> None:
    (item,) = drawn(annotations, track((2, False), (5, True)))
    log.given(given.project(3), given.labels(given.label(20), project_id=3))
    Tasks(log).update(ANN, 7, {}, project_id=3)
    assert told(log) == [{"id": item["id"], "visible": 0}]


def test_too_many_objects_are_counted_but_not_named(log: MemoryLog, annotations: Annotations) -> None:
    tag = {"frame": 1, "label_id": CAT}
    annotations.create(ANN, LEFT, {"tags": [tag] * (MAX_OBJECTS + 1), "tracks": [track((2, False))]})
    annotations.clear(ANN, LEFT)
    body = log.then[-1]
    assert isinstance(body, AnnotationsCleared)
    assert body.removed == {"tags": {"": MAX_OBJECTS + 1}, "tracks": {"rectangle": 1}}
    assert body.removed_ids.keys() - {"tags"} == {"tracks"}
    assert not body.removed_ids.get("tags")
    assert len(body.tracks) == 1


raw_tracks = st.lists(st.tuples(st.integers(0, 19), st.booleans()), min_size=1, max_size=4, unique_by=lambda k: k[0])
commands = st.sampled_from(["create", "update", "delete", "replace", "clear", "restore", "create_in_task"])


@hypothesis_given(st.lists(st.tuples(commands, raw_tracks.map(sorted), st.integers(0, 99)), max_size=8))
def test_the_changes_add_up_to_what_shows_now(steps: list[tuple[str, list[tuple[int, bool]], int]]) -> None:
    log = MemoryLog()
    log.given(given.task(), given.labels(given.label(CAT)), given.job(LEFT), given.job(RIGHT, frames=(8, 19)))
    annotations = Annotations(log)
    for command, keyframes, number in steps:
        do(log, annotations, command, track(*keyframes), number)
    stands = standing([event.body for event in log.events])
    for job_id, stop_frame in ((LEFT, 9), (RIGHT, 19)):
        bodies = [event.body for event in log.events if event.originator_id == f"annotations-{job_id}"]
        changes = [change for body in bodies for change in body.tracks]  # type: ignore[attr-defined]
        now = sum(visible_shapes(item, stop_frame) for item in stands.get(job_id, {}).get("tracks", {}).values())
        assert sum(change["visible"] for change in changes) == now


def do(log: MemoryLog, annotations: Annotations, command: str, raw: dict[str, Any], number: int) -> None:
    """One command in the left job, or in the task; `number` chooses a track, or a version."""
    known = [*standing([event.body for event in log.events]).get(LEFT, {}).get("tracks", {})]
    known_id = {"id": known[number % len(known)]} if known else {}
    match command:
        case "create" | "replace" | "create_in_task":
            getattr(annotations, command)(ANN, 7 if command.endswith("task") else LEFT, {"tracks": [raw]})
        case "update":
            annotations.update(ANN, LEFT, {"tracks": [raw | known_id]})
        case "delete" if known:
            annotations.delete(ANN, LEFT, {"tracks": [raw | known_id]})
        case "clear":
            annotations.clear(ANN, LEFT)
        case "restore":
            version = sum(event.originator_id == f"annotations-{LEFT}" for event in log.events)
            try:
                moment = Moment(version=number % (version + 1))
                AnnotationRestoration(log, AnnotationHistory(log)).restore(ANN, LEFT, moment)
            except Invalid as error:  # there is nothing to go back to, or only to half of a save
                if version and "in the middle of one save" not in str(error.detail):
                    raise
