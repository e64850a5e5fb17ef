"""What Grafana's ClickHouse plugin makes of its macros, as its documentation shows it."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from observability.macros import Chosen, View

VIEW = View(
    datetime.fromtimestamp(1415792726.371, UTC),
    datetime.fromtimestamp(1447328726.371, UTC),
    interval=20,
    chosen={
        "users": Chosen(["1", "2"]),
        "everybody": Chosen(["1", "2"], everything=True),
        "people": Chosen(everything=True, all_value="-1"),
        "names": Chosen(["ann", "o'neil"]),
    },
)


@pytest.mark.parametrize(
    ("query", "expanded"),
    [
        ("$__timeFilter(time)", "time >= toDateTime(1415792726) AND time <= toDateTime(1447328726)"),
        (
            "$__timeFilter_ms(time)",
            "time >= fromUnixTimestamp64Milli(1415792726371) AND time <= fromUnixTimestamp64Milli(1447328726371)",
        ),
        ("$__dateFilter(date)", "date >= toDate('2014-11-12') AND date <= toDate('2015-11-12')"),
        (
            "$__dateTimeFilter(date, time)",
            "date >= toDate('2014-11-12') AND date <= toDate('2015-11-12')"
            " AND time >= toDateTime(1415792726) AND time <= toDateTime(1447328726)",
        ),
        ("$__fromTime, $__toTime", "toDateTime(1415792726), toDateTime(1447328726)"),
        ("$__fromTime_ms", "fromUnixTimestamp64Milli(1415792726371)"),
        ("$__interval_s", "20"),
        ("$__timeInterval(time)", "toStartOfInterval(toDateTime(time), INTERVAL 20 second)"),
        ("$__timeInterval(max(a, b))", "toStartOfInterval(toDateTime(max(a, b)), INTERVAL 20 second)"),
        ("$__timeInterval_ms(time)", "toStartOfInterval(toDateTime64(time, 3), INTERVAL 20000 millisecond)"),
        ("a IN (${users})", "a IN ('1','2')"),
        ("a IN (${users:csv})", "a IN (1,2)"),
        ("-1 IN (${people}) OR a IN (${people:csv})", "-1 IN (-1) OR a IN (-1)"),
        ("a IN (${names:sqlstring})", "a IN ('ann','o''neil')"),
        ("$__conditionalAll(a IN (${users:csv}), $users)", "a IN (1,2)"),
        ("$__conditionalAll(a IN (${everybody:csv}), $everybody)", "1=1"),
    ],
)
def test_macros_and_variables(query: str, expanded: str) -> None:
    assert VIEW.expand(query) == expanded


@pytest.mark.parametrize("query", ["$__timeFilterr(time)", "${somebody}", "$__timeFilter(time"])
def test_what_there_is_not_is_refused(query: str) -> None:
    with pytest.raises(LookupError):
        VIEW.expand(query)
