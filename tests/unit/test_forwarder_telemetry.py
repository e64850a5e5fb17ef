"""What clients report as analytics rows: as they sent it, by its own time, and the time worked."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from consumers.forwarder.batch import Limits
from consumers.forwarder.rows import COLUMNS, table_rows
from consumers.forwarder.transform.row import MAX_DURATION
from domain.errors import Invalid
from domain.event import Event, Metadata
from domain.events.telemetry import ClientEvent, ClientEventsReported
from domain.events.user import UserLoggedOut
from domain.telemetry import check_scope

from .forwarding import cut
from .golden.examples import EXAMPLES

APRIL = datetime(2026, 4, 1, 0, 0, 30, tzinfo=UTC)
DRAWN: ClientEvent = {
    "scope": "draw:object",
    "timestamp": "2026-03-31T23:59:59.500000+00:00",
    "duration": 1_500,
    "count": 70_000,
    "obj_name": "rectangle",
    "obj_id": 1002,
    "obj_val": "x",
    "project_id": 2,
    "task_id": 7,
    "job_id": 11,
    "payload": '[1, "as it is"]',
}
SEEN: ClientEvent = {"scope": "user:activity", "timestamp": "2026-03-31T23:59:59.600000+00:00"}
LOADED: ClientEvent = {"scope": "load:cvat", "timestamp": "2026-03-31T23:59:59.700000+00:00"}


def reported(*events: ClientEvent, worked: int = 0, position: int = 1) -> Event:
    place: dict[str, Any] = {"project_id": None, "task_id": 7, "job_id": None}
    times: list[Any] = [{"timestamp": events[0]["timestamp"], "milliseconds": worked, **place}] if worked else []
    body = ClientEventsReported(5, "2026-03-31", list(events), times, "192.0.2.7")
    meta = Metadata(APRIL, "api", 5, "ann", 3, "lab", "request-1", None, "browser", None, 12, "ann@x")
    return Event(body.stream, 1, body, meta, position)


def rows(event: Event) -> list[dict[str, Any]]:
    return [dict(zip(COLUMNS, row, strict=True)) for row in table_rows(event)]


def test_an_event_is_told_as_the_client_told_it() -> None:
    (row,) = rows(reported(DRAWN))
    assert {name: row[name] for name in list(COLUMNS)[: list(COLUMNS).index("position")]} == {
        "scope": "draw:object",
        "obj_name": "rectangle",
        "obj_id": 1002,
        "obj_val": "x",
        "source": "client",
        "timestamp": 1775001599500,
        "count": 65_535,
        "duration": 1_500,
        "project_id": 2,
        "task_id": 7,
        "job_id": 11,
        "user_id": 5,
        "user_name": "ann",
        "user_email": "ann@x",
        "org_id": 3,
        "org_slug": "lab",
        "payload": '[1, "as it is"]',
        "access_token_id": 12,
        "remote_addr": "192.0.2.7",
    }


def test_the_time_worked_is_a_row_and_that_somebody_was_there_is_none() -> None:
    drawn, loaded, worked = rows(reported(DRAWN, SEEN, LOADED, worked=2_250))
    assert [row["scope"] for row in (drawn, loaded, worked)] == ["draw:object", "load:cvat", "send:working_time"]
    assert (loaded["payload"], loaded["count"], loaded["duration"], loaded["job_id"]) == ("{}", None, 0, None)
    assert (worked["duration"], worked["count"], worked["task_id"], worked["job_id"]) == (2_250, 1, 7, None)
    assert worked["payload"].startswith('{"working_time":2250,')
    assert (worked["source"], worked["timestamp"]) == ("server", drawn["timestamp"])
    assert [(row["row"], row["rows"]) for row in (drawn, loaded, worked)] == [(0, 3), (1, 3), (2, 3)]


def test_what_was_summed_up_beyond_the_column_is_the_most_that_it_takes() -> None:
    (_, worked) = rows(reported(LOADED, worked=2**33))
    assert worked["duration"] == MAX_DURATION
    assert worked["payload"].startswith(f'{{"working_time":{MAX_DURATION},')


def test_where_there_is_nothing_to_analyse_the_position_is_found_again() -> None:
    (row,) = rows(reported(SEEN))
    assert (row["scope"], row["obj_name"], row["source"]) == ("record:event", "ClientEventsReported", "server")


def test_what_happened_last_month_is_no_part_of_a_batch_of_this_one() -> None:
    body = UserLoggedOut(5, 1)
    april = [Event(body.stream, n, body, Metadata(APRIL, "api"), n) for n in (1, 2, 4)]
    events = sorted([*april, reported(DRAWN, position=3)], key=lambda event: event.position)
    made = cut(events, Limits())
    assert [(batch.span.after, batch.span.until) for batch in made] == [(0, 2), (2, 3), (3, 4)]
    assert [batch.first_time for batch in made] == [APRIL] * 3


@pytest.mark.parametrize("name", sorted(set(EXAMPLES) - {"ClientEventsReported"}))
def test_what_the_server_says_no_client_may_say(name: str) -> None:
    body = EXAMPLES[name]
    for row in rows(Event(body.stream, 1, body, Metadata(APRIL, "api"), 1)):
        if row["scope"] != "send:exception":  # which both say
            with pytest.raises(Invalid):
                check_scope(row["scope"])
