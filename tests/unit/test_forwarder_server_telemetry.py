"""What a server tells of itself, as analysts read it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import orjson

from consumers.forwarder.rows import COLUMNS, table_rows
from consumers.forwarder.transform.row import MAX_COUNT
from domain.event import Event, Metadata
from domain.events.telemetry import ServerEvent, ServerEventsReported

TIME = datetime(2026, 11, 20, 12, 30, 15, 500_000, tzinfo=UTC)
REFUSED: ServerEvent = {
    "scope": "send:exception",
    "timestamp": "2026-11-20T12:30:14.250000+00:00",
    "count": 3,
    "payload": {"message": "Not found.", "stack": "", "request": {"id": "r-1", "url": "/api/tasks/7"}},
    "task_id": 7,
    "user_id": 5,
    "user_name": "ann",
    "user_email": "ann@x",
    "organization_id": 4,
    "organization": "zoo",
}


def rows(*events: ServerEvent) -> list[dict[str, Any]]:
    body = ServerEventsReported("host-7", "2026-11-20", list(events))
    made = table_rows(Event(body.stream, 1, body, Metadata(TIME, "server"), 9))
    return [dict(zip(COLUMNS, row, strict=True)) for row in made]


def test_a_refusal_is_the_row_of_whose_request_it_was() -> None:
    [row] = rows(REFUSED)
    named = ("scope", "source", "count", "task_id", "user_id", "user_name", "user_email", "org_id", "org_slug")
    assert tuple(row[name] for name in named) == ("send:exception", "server", 3, 7, 5, "ann", "ann@x", 4, "zoo")
    assert row["timestamp"] == int(TIME.timestamp() * 1_000) - 1_250
    assert orjson.loads(row["payload"]) == {**REFUSED["payload"], "process": "host-7"}


def test_what_nobody_asked_for_is_nobodys() -> None:
    [first, second] = rows({**REFUSED, "count": MAX_COUNT + 1}, _anonymous())
    assert first["count"] == MAX_COUNT
    assert {second[name] for name in ("user_id", "user_name", "user_email", "org_id", "task_id")} == {None}
    assert [(row["row"], row["rows"], row["position"]) for row in (first, second)] == [(0, 2, 9), (1, 2, 9)]


def _anonymous() -> ServerEvent:
    return {"scope": REFUSED["scope"], "timestamp": REFUSED["timestamp"], "count": 1, "payload": {}}
