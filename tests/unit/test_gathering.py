"""Many happenings, told as few, and never one too few."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from api.reporting.gathering import LONGEST_PAUSE, MANY, MAX_VARIANTS, MAX_WAITING, Gathering
from domain.events.telemetry import ServerEvent

DAY = 86_400


def described(scope: str = "send:exception") -> ServerEvent:
    return {"scope": scope, "timestamp": "2026-11-20T12:00:00+00:00", "count": 0, "payload": {"message": "no"}}


def counts(events: list[ServerEvent]) -> list[int]:
    return [event["count"] for event in events]


def test_the_first_of_a_kind_is_told_after_a_second_with_those_that_came_meanwhile() -> None:
    gathering = Gathering(1.0)
    for tenth in range(5):
        gathering.add(("send:exception", 404), tenth / 10, described)
    gathering.add(("send:exception", 403), 0.2, described)
    assert gathering.take(0.9) == []
    assert counts(gathering.take(1.0)) == [5, 1]
    assert gathering.take(DAY) == []


def test_only_the_first_is_described() -> None:
    gathering, calls = Gathering(1.0), []
    for _ in range(3):
        gathering.add(("s",), 0.0, lambda: calls.append(1) or described())  # type: ignore[func-returns-value]
    assert len(calls) == 1


def test_what_goes_on_for_a_day_is_told_about_once_a_minute() -> None:
    gathering, told, happened = Gathering(1.0), [], 0
    for second in range(2 * 3_600):
        for _ in range(2):
            gathering.add(("send:exception", 404), float(second), described)
            happened += 1
        told += gathering.take(float(second))
    told += gathering.take(float(second), everything=True)
    assert sum(counts(told)) == happened
    assert len(told) < 2 * 60 + 10


def test_who_was_quiet_for_long_enough_is_told_at_once_again() -> None:
    gathering = Gathering(1.0)
    for second in range(600):
        gathering.add(("s",), float(second), described)
        gathering.take(float(second))
    quiet = 600 + 3 * LONGEST_PAUSE
    gathering.take(quiet)
    gathering.add(("s",), quiet + 100, described)
    assert counts(gathering.take(quiet + 100 + 1)) == [1]


def test_what_can_not_be_told_apart_is_still_counted_by_scope() -> None:
    gathering = Gathering(1.0)
    for number in range(MAX_WAITING + 700):
        scope = "read:cache_item" if number % 7 == 0 else "send:exception"
        gathering.add((scope, number), 0.0, lambda scope=scope: described(scope), size=10)  # type: ignore[misc]
    told = gathering.take(1.0)
    assert len(told) == MAX_WAITING + 2
    assert sum(counts(told)) == MAX_WAITING + 700
    assert [event["scope"] for event in told[-2:]] != [told[-1]["scope"]] * 2
    assert told[-1]["payload"] == {
        "message": MANY,
        "cache_item": {"size": 10 * told[-1]["count"]},
    }


def refused(number: int) -> ServerEvent:
    payload = {"message": f"no task {number}", "status_code": 404, "basename": "task", "request": {"id": number}}
    return {
        **described(),
        "payload": payload,
        "task_id": number,
        "user_id": 5,
        "user_name": "ann",
        "organization_id": 3,
    }


def test_what_is_not_equal_is_told_apart() -> None:
    gathering = Gathering(1.0)
    for number in [1, 2, 2, 3, 3, 3]:
        gathering.add(("send:exception", 404), 0.0, lambda number=number: refused(number), variant=number)  # type: ignore[misc]
    told = gathering.take(1.0)
    assert [(event["task_id"], event["count"]) for event in told] == [(1, 1), (2, 2), (3, 3)]


def test_beyond_a_bound_ever_new_ones_are_one_that_says_what_holds_of_all() -> None:
    gathering, told = Gathering(1.0), []
    seconds = 2 * int(LONGEST_PAUSE)
    for number in range(10 * seconds):
        now = number / 10
        gathering.add(("send:exception", 404), now, lambda number=number: refused(number), variant=number)  # type: ignore[misc]
        told += gathering.take(now)
    told += gathering.take(float(seconds), everything=True)
    assert sum(counts(told)) == 10 * seconds
    alone = [event for event in told if "task_id" in event]
    assert len(alone) == 2 * MAX_VARIANTS
    assert set(counts(alone)) == {1}
    together = [event for event in told if "task_id" not in event]
    assert len(together) < 10
    assert together[0]["payload"] == {"message": MANY, "status_code": 404, "basename": "task"}
    assert together[0]["user_id"] == 5
    assert "organization_id" not in together[0]


def test_other_kinds_are_told_apart_all_the_same() -> None:
    gathering = Gathering(1.0)
    for number in range(MAX_VARIANTS + 5):
        gathering.add(("send:exception", 404), 0.0, described, variant=number)
    gathering.add(("send:exception", 400), 0.0, lambda: refused(1), variant="another")
    assert gathering.take(1.0)[-1]["task_id"] == 1


@given(st.lists(st.tuples(st.integers(0, 5), st.floats(0, 30), st.booleans()), max_size=60))
def test_nothing_is_dropped_whatever_comes_when(happenings: list[tuple[int, float, bool]]) -> None:
    gathering, now, told = Gathering(1.0), 0.0, []
    for kind, passed, take in happenings:
        now += passed
        gathering.add(("s", kind), now, described, variant=kind * 7 + int(now) % 40)
        if take:
            told += gathering.take(now)
    told += gathering.take(now, everything=True)
    assert sum(counts(told)) == len(happenings)
    assert gathering.take(now + DAY, everything=True) == []
