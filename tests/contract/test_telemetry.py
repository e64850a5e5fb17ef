"""`POST /api/events`: what user interfaces report. When it is answered it is in the log."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from cvat_sdk import make_client
from cvat_sdk.api_client.models import ClientEventsRequest, EventRequest

from domain.telemetry import CLIENT_SCOPES, MAX_EVENTS

from .conftest import ADMIN, Server
from .shared import head, running

URL = "/api/events"
CLOCK = datetime(2020, 5, 17, 12, tzinfo=UTC)
"""What the client's shows, years late."""


@pytest.fixture(scope="module")
def host(postgres: str) -> Iterator[Server]:
    with running(postgres) as server:
        yield server


@pytest.fixture
def http(host: Server) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=host.url, auth=ADMIN, timeout=60) as client:
        yield client


def event(seconds: float = 0, scope: str = "click:element", **fields: Any) -> dict[str, Any]:
    return {"scope": scope, "timestamp": (CLOCK + timedelta(seconds=seconds)).isoformat()} | fields


def report(*events: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return {"events": list(events), "timestamp": CLOCK.isoformat()} | fields


def newest(host: Server, after: int) -> list[dict[str, Any]]:
    """The bodies of the reports behind a position, as readers of the log get them."""
    page = host.http().get("/api/log", params={"after": after, "type": "ClientEventsReported"}).json()
    return [found["body"] for found in page["results"]]


def test_a_report_as_the_ui_sends_it(http: httpx.Client, host: Server) -> None:
    before, began = head(host), datetime.now(UTC)
    sent = report(
        event(-20, "load:job", duration=523, project_id=1, task_id=2, job_id=3, payload='{"a": 1}'),
        event(-5, "user:activity", task_id=2, job_id=3, obj_name=None),
        event(-4, "draw:object", count=1, duration=900, obj_name="rectangle", job_id=4),
        previous_event=event(-30, "change:frame", duration=4_000, job_id=9),
    )
    answer = http.post(URL, params={"org": ""}, json=sent)
    assert answer.status_code == 201, answer.text
    (told,) = newest(host, before)
    scopes = [each["scope"] for each in told["events"]]
    assert scopes == ["load:job", "user:activity", "draw:object"]
    times = [datetime.fromisoformat(each["timestamp"]) for each in told["events"]]
    assert began - timedelta(seconds=20) <= times[0] <= datetime.now(UTC) - timedelta(seconds=20)
    assert [time - times[0] for time in times] == [timedelta(), timedelta(seconds=15), timedelta(seconds=16)]
    assert told["events"][0] == {
        "scope": "load:job", "timestamp": told["events"][0]["timestamp"], "duration": 523, "project_id": 1,
        "task_id": 2, "job_id": 3, "payload": '{"a": 1}',
    }  # fmt: skip
    worked = [(each["job_id"], each["milliseconds"]) for each in told["working_times"]]
    assert sorted(worked) == [(3, 1_000), (3, 15_000), (9, 6_000)]  # with and without its task, they are two places
    assert told["remote_addr"] == "127.0.0.1"


def test_the_answer_is_the_report_by_the_servers_clock(http: httpx.Client) -> None:
    sent = report(
        event(-3, source="server", user_id=77, user_name="eve", org_id=5, payload=None), event(0, "load:cvat")
    )
    taken = http.post(URL, json=sent).json()
    first, second = taken["events"]
    assert (first["user_id"], first["user_name"], first["org_id"], first["source"]) == (1, "admin", None, "client")
    assert (first["payload"], first["duration"], second["scope"]) == ("{}", 0, "load:cvat")
    assert second["timestamp"] == taken["timestamp"]
    gone = datetime.fromisoformat(taken["timestamp"]) - datetime.fromisoformat(first["timestamp"])
    assert gone == timedelta(seconds=3)


def test_the_generated_client_reads_the_answer(host: Server) -> None:
    with make_client(host.url, credentials=ADMIN) as client:
        wanted = ClientEventsRequest(
            events=[EventRequest(scope="load:job", timestamp=CLOCK, duration=5, job_id=3)], timestamp=CLOCK
        )
        taken, answer = client.api_client.events_api.create(wanted)
    assert (answer.status, taken.events[0].scope, taken.events[0].user_name) == (201, "load:job", "admin")


def test_all_scopes_of_clients_are_taken(http: httpx.Client, host: Server) -> None:
    before = head(host)
    scopes = sorted(CLIENT_SCOPES)
    assert http.post(URL, json=report(*(event(scope=scope) for scope in scopes))).status_code == 201
    assert [each["scope"] for each in newest(host, before)[0]["events"]] == scopes


def test_nothing_to_report_is_no_error(http: httpx.Client, host: Server) -> None:
    before = head(host)
    for sent in (report(), {"timestamp": CLOCK.isoformat()}, report(previous_event=None)):
        answer = http.post(URL, json=sent)
        assert (answer.status_code, answer.json()["events"]) == (201, [])
    assert head(host) == before


@pytest.mark.parametrize("time", ["2020-05-17T12:00:00Z", "2020-05-17T12:00:00.123", "2020-05-17T14:00:00+02:00"])
def test_times_are_read_in_every_form(http: httpx.Client, time: str) -> None:
    assert http.post(URL, json={"events": [event(timestamp=time)], "timestamp": time}).status_code == 201


@pytest.mark.parametrize("year", [1900, 2019, 2199])
def test_a_clock_that_is_years_wrong_gives_a_believable_time(http: httpx.Client, host: Server, year: int) -> None:
    before, time = head(host), f"{year}-01-02T00:00:00Z"
    assert http.post(URL, json=report(event(timestamp=time))).status_code == 201
    (told,) = newest(host, before)
    recorded = datetime.fromisoformat(told["events"][0]["timestamp"])
    assert datetime.now(UTC) - timedelta(days=31) < recorded <= datetime.now(UTC)


REQUIRED, NO, MOST = ["This field is required."], "is not supported from a client", 2**63 - 1


@pytest.mark.parametrize(
    ("sent", "errors"),
    [
        ({}, {"timestamp": REQUIRED}),
        (report(event(), {}), {"events": [{}, {"scope": REQUIRED, "timestamp": REQUIRED}]}),
        (report(event(scope="")), {"events": [{"scope": ["This field may not be blank."]}]}),
        (report(event(), event(scope="create:task")), {"scope": [f"Event scope create:task {NO}"]}),
        (report(event(scope="send:working_time")), {"scope": [f"Event scope send:working_time {NO}"]}),
        (report(event(scope="play:video")), {"scope": [f"Event scope play:video {NO}"]}),
        (report(event(scope=" load:job")), {"scope": [f"Event scope  load:job {NO}"]}),
        (report(event(job_id="x")), {"events": [{"job_id": ["A valid integer is required."]}]}),
        (report(event(duration=-1)), {"events": [{"duration": ["Ensure this value is greater than or equal to 0."]}]}),
        (report(event(duration=1.5)), {"events": [{"duration": ["A valid integer is required."]}]}),
        (report(event(count=10**30)), {"events": [{"count": [f"Ensure this value is less than or equal to {MOST}."]}]}),
        (report(event(obj_val="a\0b")), {"events": [{"obj_val": ["Null characters are not allowed."]}]}),
    ],
)  # fmt: skip
def test_what_is_not_a_report_is_refused(http: httpx.Client, host: Server, sent: Any, errors: Any) -> None:
    before = head(host)
    answer = http.post(URL, json=sent)
    assert (answer.status_code, answer.json()) == (400, errors)
    assert head(host) == before


@pytest.mark.parametrize("field", ["timestamp", "payload"])
@pytest.mark.parametrize("value", ["yesterday", "{", "0001-01-01T00:00:00Z", {"a": 1}])
def test_a_field_that_is_not_what_it_should_be_is_named(
    http: httpx.Client, host: Server, field: str, value: Any
) -> None:
    before = head(host)
    answer = http.post(URL, json=report(event(), event(**{field: value})))
    assert answer.status_code == 400
    (first, second) = answer.json()["events"]
    assert (first, set(second)) == ({}, {field})
    assert head(host) == before


def test_a_report_is_bounded(http: httpx.Client, host: Server) -> None:
    before = head(host)
    assert http.post(URL, json=report(*[event()] * (MAX_EVENTS + 1))).status_code == 400
    assert http.post(URL, json=report(event(payload='"' + "x" * 70_000 + '"'))).status_code == 400
    large = event(payload='"' + "x" * 60_000 + '"')
    assert http.post(URL, json=report(*[large] * 150)).status_code == 413
    assert head(host) == before


def test_who_is_not_logged_in_reports_nothing(host: Server) -> None:
    before = head(host)
    assert httpx.post(host.url + URL, json=report(event())).status_code == 401
    assert head(host) == before
