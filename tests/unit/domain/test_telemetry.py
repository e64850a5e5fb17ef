"""What user interfaces report: by the server's clock, and with the time worked that follows from it, as CVAT has it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import example
from hypothesis import given as examples
from hypothesis import strategies as st

from domain.errors import Invalid, TooLarge
from domain.events.telemetry import ACTIVITY, ClientEventsReported
from domain.telemetry import (
    CLIENT_SCOPES,
    LONGEST,
    MAX_GAP,
    MAX_TEXT,
    OLDEST,
    Place,
    Report,
    Reported,
    Telemetry,
    Worked,
    check_scope,
    working_times,
)

from .given import ANN
from .memory_log import START, MemoryLog

NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
HERE, THERE = Place(1, 2, 3), Place(1, 2, 4)


def at(seconds: float, scope: str = "click:element", duration: int = 0, place: Place = HERE) -> Reported:
    return Reported(scope, NOON + timedelta(seconds=seconds), duration, place)


def seconds(worked: list[Worked]) -> dict[Place, float]:
    return {each.place: each.duration.total_seconds() for each in worked}


@pytest.mark.parametrize(
    ("events", "worked"),
    [
        ([], {}),
        ([at(0)], {}),
        ([at(0), at(5), at(12)], {HERE: 12}),
        ([at(0), at(99.999)], {HERE: 99.999}),
        ([at(0), at(100)], {}),  # a pause of 100 s is one
        ([at(0), at(500), at(503)], {HERE: 3}),
        # The time up to an event was worked where the one before happened.
        ([at(0), at(5, place=THERE), at(7, place=THERE)], {HERE: 5, THERE: 2}),
        # Only changes of frame last.
        ([at(0, "change:frame", 30_000)], {HERE: 30}),
        ([at(0, "draw:object", 30_000)], {}),
        ([at(0, "change:frame", 400_000), at(410)], {HERE: 410}),
        ([at(0, "change:frame", 30_000), at(10), at(29)], {HERE: 30}),
        ([at(0, "change:frame", 30_000), at(10, "change:frame", 25_000)], {HERE: 35}),
        # What is out of order is not reckoned twice.
        ([at(10), at(5), at(12)], {HERE: 2}),
        ([at(0, ACTIVITY), at(20, ACTIVITY)], {HERE: 20}),
    ],
)
def test_the_time_worked(events: list[Reported], worked: dict[Place, float]) -> None:
    assert seconds(working_times(None, events)) == worked


def test_the_report_before_counts() -> None:
    assert seconds(working_times(at(-30, place=THERE), [at(0)])) == {THERE: 30}
    assert seconds(working_times(at(-130, place=THERE), [at(0), at(1)])) == {HERE: 1}
    assert seconds(working_times(at(-30, "change:frame", 25_000, THERE), [at(0)])) == {THERE: 5}
    assert working_times(at(-30), []) == []


def test_the_time_worked_is_told_with_the_first_event_that_was_counted() -> None:
    assert working_times(at(-30, place=THERE), [at(0), at(7), at(8, place=THERE)]) == [
        Worked(THERE, NOON, timedelta(seconds=30)),
        Worked(HERE, NOON + timedelta(seconds=7), timedelta(seconds=8)),
    ]


EVENTS = st.builds(
    at,
    st.integers(-400, 400),
    st.sampled_from(["change:frame", "draw:object", ACTIVITY]),
    st.integers(0, 300_000),
    st.sampled_from([HERE, THERE, Place()]),
)
REPORTS = st.lists(EVENTS, max_size=12)


@examples(st.none() | EVENTS, REPORTS)
def test_nobody_works_longer_than_time_passes(previous: Reported | None, events: list[Reported]) -> None:
    known = [*([previous] if previous else []), *events]
    total = sum((worked.duration for worked in working_times(previous, events)), timedelta())
    assert total >= timedelta()
    if known:
        assert total <= max(event.end for event in known) - min(event.time for event in known)


@examples(st.lists(st.integers(0, 3_000), min_size=1, max_size=30))
def test_without_changes_of_frame_it_is_the_sum_of_the_short_gaps(times: list[int]) -> None:
    events = [at(time) for time in sorted(times)]
    gaps = [after.time - before.time for before, after in pairwise(events)]
    expected = sum((gap for gap in gaps if gap < MAX_GAP), timedelta())
    assert sum((worked.duration for worked in working_times(None, events)), timedelta()) == expected


@examples(REPORTS, st.integers(0, 12))
def test_two_reports_in_a_row_tell_what_one_does(events: list[Reported], cut: int) -> None:
    """Of events in the order of time, each over before the next."""
    whole = [replace(event, duration=0) for event in sorted(events, key=lambda event: event.time)]
    first, second = whole[:cut], whole[cut:]
    together, apart = seconds(working_times(None, whole)), seconds(working_times(None, first))
    for place, more in seconds(working_times(first[-1] if first else None, second)).items():
        apart[place] = apart.get(place, 0) + more
    assert apart == together


@examples(st.none() | EVENTS, REPORTS, st.integers(-(10**6), 10**6))
def test_the_clock_makes_no_difference(previous: Reported | None, events: list[Reported], wrong: int) -> None:
    report = Report(NOON, events, previous)
    corrected = report.by_clock(NOON + timedelta(seconds=wrong))
    assert [event.time - NOON for event in events] == [event.time - corrected.time for event in corrected.events]
    assert seconds(working_times(corrected.previous, corrected.events)) == seconds(working_times(previous, events))


ANY_TIME = st.integers(-(10**10), 9 * 10**9)
ANY_EVENTS = st.builds(at, ANY_TIME, st.sampled_from(["change:frame", "draw:object"]), st.integers(0, 2**32 - 1))


@examples(st.none() | ANY_EVENTS, st.lists(ANY_EVENTS, max_size=60))
@example(None, [at(0, "change:frame", 2**32 - 1), at(2**32 / 1_000, "change:frame", 2**32 - 1)])
@example(None, [at(-86_400 * day, "change:frame", 2**32 - 1) for day in range(50, -5, -1)])
def test_no_report_makes_more_working_time_than_can_be_recorded(
    previous: Reported | None, events: list[Reported]
) -> None:
    worked = Report(NOON, events, previous).worked()
    total = sum((each.duration for each in worked), timedelta())
    assert total <= OLDEST + 2 * LONGEST < timedelta(milliseconds=2**32 - 1)


@examples(st.none() | EVENTS, REPORTS)
def test_of_what_can_be_nothing_is_cut_off(previous: Reported | None, events: list[Reported]) -> None:
    assert Report(NOON, events, previous).worked() == working_times(previous, events)


def test_one_event_is_a_day_of_work_at_most() -> None:
    assert seconds(Report(NOON, [at(-5 * 86_400, "change:frame", 2**32 - 1)]).worked()) == {HERE: 86_400}
    assert seconds(Report(NOON, [at(-5 * 86_400, "change:frame", 86_399_000)]).worked()) == {HERE: 86_399}


@pytest.mark.parametrize("scope", sorted(CLIENT_SCOPES))
def test_scopes_of_clients_are_taken(scope: str) -> None:
    check_scope(scope)


@pytest.mark.parametrize(
    "scope",
    ["create:task", "send:working_time", "update:job", "delete:shapes", "record:event", "revoke:accesstoken",
     "load:video", "Create:task", " create:task", "load:cvat ", "whatever", ""],
)  # fmt: skip
def test_nobody_forges_what_the_server_says(log: MemoryLog, scope: str) -> None:
    with pytest.raises(Invalid) as refusal:
        Telemetry(log).report(ANN, Report(NOON, [at(0), at(1, scope)]))
    assert refusal.value.detail == {"scope": [f"Event scope {scope} is not supported from a client"]}
    assert log.then == []


def test_a_report_is_recorded_by_the_servers_clock(log: MemoryLog) -> None:
    drawn = Reported("draw:object", NOON - timedelta(seconds=9), 1_500, HERE, {"count": 1, "payload": "{}"})
    taken = Telemetry(log).report(ANN, Report(NOON, [drawn, at(-4, ACTIVITY, place=THERE)]), "192.0.2.7")
    now = START
    assert [event.time for event in taken.events] == [now - timedelta(seconds=9), now - timedelta(seconds=4)]
    nine, four = ((now - timedelta(seconds=ago)).isoformat() for ago in (9, 4))
    here = {"project_id": 1, "task_id": 2, "job_id": 3}
    assert log.then == [
        ClientEventsReported(
            1,
            "2026-11-20",
            [
                {"scope": "draw:object", "timestamp": nine, "duration": 1_500, "count": 1, "payload": "{}", **here},
                {"scope": ACTIVITY, "timestamp": four, **here, "job_id": 4},
            ],
            [{"timestamp": nine, "milliseconds": 5_000, **here}],
            "192.0.2.7",
        )
    ]
    assert log.then[0].stream == "telemetry-1-2026-11-20"


def test_each_day_gets_an_event_of_its_own(log: MemoryLog) -> None:
    report = Report(NOON, [at(-13 * 3600), at(-13 * 3600 + 1), at(0)])  # the clock of the log shows noon, too
    Telemetry(log).report(ANN, report)
    assert [(body.day, len(body.events), len(body.working_times)) for body in log.then] == [
        ("2026-11-19", 2, 1),
        ("2026-11-20", 1, 0),
    ]


@examples(st.lists(st.integers(-(10**9), 10**9), max_size=8))
def test_every_event_is_recorded_once_with_a_believable_time(times: list[int]) -> None:
    log = MemoryLog()
    Telemetry(log).report(ANN, Report(NOON, [at(time) for time in times]))
    told = [event for body in log.then for event in body.events]
    assert len(told) == len(times)
    for event in told:
        assert START - OLDEST <= datetime.fromisoformat(event["timestamp"]) <= log.events[-1].meta.time


def test_an_empty_report_records_nothing(log: MemoryLog) -> None:
    Telemetry(log).report(ANN, Report(NOON, []))
    assert log.then == []


def test_the_payloads_of_a_report_are_bounded(log: MemoryLog) -> None:
    huge = Reported("debug:info", NOON, details={"payload": '"' + "x" * (MAX_TEXT // 2) + '"'})
    with pytest.raises(TooLarge):
        Telemetry(log).report(ANN, Report(NOON, [huge, huge]))
    assert log.then == []
