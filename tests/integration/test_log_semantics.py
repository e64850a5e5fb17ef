"""What use cases rely on (`domain.ports.Log`): of the log in PostgreSQL, and of the one in memory of the unit tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cli.bootstrap import connect
from domain.errors import Conflict, VersionConflict
from domain.event import SYSTEM, Body, Context
from domain.events.data import UploadStarted
from domain.events.task import TaskChanged
from domain.ports import Log

from ..unit.domain import given
from ..unit.domain.memory_log import MemoryLog

CONTEXT = Context(SYSTEM)


@pytest.fixture(params=["memory", "postgres"])
def log(request: pytest.FixtureRequest) -> Iterator[Log]:
    """An empty log of each kind."""
    if request.param == "memory":
        yield MemoryLog()
        return
    system = connect(request.getfixturevalue("database_url"))
    yield system.app
    system.close()


def bodies(log: Log, stream: str) -> tuple[list[Body], int]:
    def collect(state: list[Body], body: Body) -> list[Body]:
        return [*state, body]

    return log.load(stream, collect, [])


def test_a_stream_that_does_not_exist_is_at_version_0(log: Log) -> None:
    assert bodies(log, "data-7") == ([], 0)


def test_a_stream_has_its_own_events_in_order(log: Log) -> None:
    log.record(CONTEXT, [given.task(7), UploadStarted(7)])
    log.record(CONTEXT, [UploadStarted(8), TaskChanged(7, None, {})])
    assert bodies(log, "task-7") == ([given.task(7), TaskChanged(7, None, {})], 2)
    assert bodies(log, "data-8") == ([UploadStarted(8)], 1)


def test_versions_and_positions_are_filled_in(log: Log) -> None:
    events = log.record(CONTEXT, [UploadStarted(7), UploadStarted(8), UploadStarted(7)])
    assert [(event.id, event.position) for event in events] == [("data-7@1", 1), ("data-8@1", 2), ("data-7@2", 3)]
    (event,) = log.record(CONTEXT, [UploadStarted(7)], {"data-7": 2})
    assert (event.id, event.position) == ("data-7@3", 4)


def test_nothing_is_no_event(log: Log) -> None:
    assert log.record(CONTEXT, []) == []


@pytest.mark.parametrize("expected", [0, 2])
def test_another_version_than_expected_is_a_conflict(log: Log, expected: int) -> None:
    log.record(CONTEXT, [UploadStarted(7)])
    with pytest.raises(VersionConflict) as conflict:
        log.record(CONTEXT, [UploadStarted(8), UploadStarted(7)], {"data-7": expected})
    assert (conflict.value.stream, conflict.value.expected, conflict.value.actual) == ("data-7", expected, 1)
    assert bodies(log, "data-8") == ([], 0), "all or nothing"


def test_what_has_no_expectation_goes_to_any_version(log: Log) -> None:
    log.record(CONTEXT, [UploadStarted(7)])
    log.record(CONTEXT, [UploadStarted(7)])
    assert bodies(log, "data-7")[1] == 2


def test_an_expectation_holds_for_the_whole_save(log: Log) -> None:
    events = log.record(CONTEXT, [UploadStarted(7)] * 3, {"data-7": 0})
    assert [event.originator_version for event in events] == [1, 2, 3]


def test_a_stream_that_only_informed_the_decision_is_looked_at_too(log: Log) -> None:
    log.record(CONTEXT, [given.task(7)])
    log.record(CONTEXT, [UploadStarted(7)], {"task-7": 1, "data-7": 0})
    with pytest.raises(VersionConflict):
        log.record(CONTEXT, [UploadStarted(7)], {"task-7": 0})
    log.record(CONTEXT, [TaskChanged(7, None, {})])
    with pytest.raises(VersionConflict):
        log.record(CONTEXT, [UploadStarted(7)], {"task-7": 1})
    assert bodies(log, "data-7")[1] == 1
    assert bodies(log, "task-7")[1] == 2


def test_there_is_one_user_of_a_name(log: Log) -> None:
    log.record(CONTEXT, [given.user(1, "ann")])
    with pytest.raises(Conflict):
        log.record(CONTEXT, [UploadStarted(7), given.user(2, "ANN")])
    assert bodies(log, "data-7") == ([], 0)
    log.record(CONTEXT, [given.user(3, "bob")])


def test_ids_are_handed_out_once_and_ascend(log: Log) -> None:
    ids = [log.ids.one("task"), *log.ids.many("task", 3), *log.ids.many("task", 0), log.ids.one("task")]
    assert ids == sorted(set(ids))
    assert len(ids) == 5
    objects = [*log.ids.annotations(2), *log.ids.annotations(2_500), *log.ids.annotations(1)]
    assert len(objects) == 2_503
    assert objects == sorted(set(objects))
    assert log.ids.highest_annotation() >= objects[-1]


def test_no_annotation_id_is_handed_out_at_first(log: Log) -> None:
    assert log.ids.highest_annotation() == 0
