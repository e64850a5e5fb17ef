"""What the log tells of saves without unpacking them is what the events say; and the past agrees with the present."""

from __future__ import annotations

from itertools import combinations_with_replacement
from random import Random

import pytest

from cli.bootstrap import System
from domain.annotation.document import KINDS
from domain.annotation.timeline import Objects
from domain.annotation_history import Subject, stream_of
from domain.application import PAGE_EVENTS
from domain.event import Event
from domain.events.annotations import AnnotationsBody, AnnotationsCleared
from infra.eventlog.reader import LogReader

from ..unit.domain.memory_saves import NaiveSaves
from .histories import BEGINNING, ME, STEPS, History

DRAWING = ["draw", "redraw", "replace", "erase", "clear", "draw_in_task", "bring_back"]


@pytest.fixture(params=range(3))
def lived(request: pytest.FixtureRequest, system: System) -> System:
    """Much was drawn in it, and other things happened."""
    random = Random(request.param)
    steps = random.choices([*DRAWING * 8, *STEPS], k=120)
    History(system).live([*BEGINNING * 2, *((step, random.randrange(10_000)) for step in steps)])
    return system


def everything(system: System) -> list[Event]:
    with system.database.connect() as connection:
        return [event for batch in LogReader().read(connection, 0, 2**62) for event in batch]


def test_the_log_answers_as_its_events_do(lived: System) -> None:
    events, saves = everything(lived), lived.app.lookup.saves
    naive = NaiveSaves(events)
    jobs = sorted({event.body.job_id for event in events if isinstance(event.body, AnnotationsBody)})
    streams = [stream_of(job_id) for job_id in jobs]
    times = [None, *(event.meta.time for event in events)]
    assert len(streams) > 2
    for some in (streams, streams[:1], streams[1:3]):
        assert saves.page(some, None, 0) == naive.page(some, None, 0)
        assert saves.page(some, 3, 2) == naive.page(some, 3, 2)
        for position in range(len(events) + 2):
            assert saves.at_position(some, position) == naive.at_position(some, position)
            assert saves.spans(some, position) == naive.spans(some, position)
        assert [saves.at_time(some, time) for time in times] == [naive.at_time(some, time) for time in times]
    for stream in streams:
        length = sum(event.originator_id == stream for event in events)
        for version in range(length + 2):
            assert saves.at_version(stream, version) == naive.at_version(stream, version)
    for stream in {event.originator_id for event in events}:
        assert saves.labels_moved(stream, len(events)) == naive.labels_moved(stream, len(events))


def test_what_the_past_comes_to_is_what_stands(lived: System) -> None:
    history = lived.app.annotation_history
    for row in lived.database.query("SELECT id, annotations_version AS version FROM jobs"):
        subject: Subject = history.job(row["id"])
        drawing = history.move_on(subject, 2**62, {})[row["id"]]
        assert drawing.version == row["version"]
        assert drawing.objects == standing(lived, row["id"])


def test_long_histories_are_read_by_the_page(system: System) -> None:
    """Whole, wherever the pages begin and end."""

    def saved(job_id: int, number: int) -> AnnotationsCleared:
        return AnnotationsCleared(job_id, 7, None, {"tags": {"": number}})

    length = 2 * PAGE_EVENTS + 50
    system.app.record(ME, [saved(job_id, number) for number in range(length) for job_id in (1, 2)])
    ends = [0, 1, PAGE_EVENTS - 1, PAGE_EVENTS, PAGE_EVENTS + 1, 2 * PAGE_EVENTS, length]
    for after, until in combinations_with_replacement(ends, 2):
        stream = list(system.app.history(stream_of(2), after, until))
        assert [event.body for event in stream] == [saved(2, number) for number in range(after, until)]
        assert [event.position for event in system.app.recorded(after + 1, until)] == [*range(after + 1, until + 1)]
    assert len(list(system.app.history(stream_of(1)))) == length


def standing(system: System, job_id: int) -> Objects:
    """Hidden objects too."""
    objects: Objects = {kind: {} for kind in KINDS}
    for row in system.database.query("SELECT kind, doc::json FROM annotation_objects WHERE job_id = %s", (job_id,)):
        objects[row["kind"]][row["doc"]["id"]] = row["doc"]
    return objects
