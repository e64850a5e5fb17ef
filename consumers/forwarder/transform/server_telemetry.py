"""What server processes report of themselves, under CVAT's scopes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import orjson

from consumers.forwarder.transform.row import MAX_COUNT, Row, Who, transforms
from domain.events.telemetry import ServerEvent, ServerEventsReported

NO_REQUEST = {"id": None, "user_agent": None}
"""What stands where things of many requests are counted together."""


@transforms(ServerEventsReported)
def reported(body: ServerEventsReported) -> Iterator[Row]:
    for event in body.events:
        yield _row(event, body.process)


def _row(event: ServerEvent, process: str) -> Row:
    return Row(
        event["scope"],
        amount=min(event["count"], MAX_COUNT),
        payload=orjson.dumps({"request": NO_REQUEST, **event["payload"], "process": process}).decode(),
        project_id=event.get("project_id"),
        task_id=event.get("task_id"),
        job_id=event.get("job_id"),
        time=datetime.fromisoformat(event["timestamp"]),
        who=Who(
            event.get("user_id"),
            event.get("user_name"),
            event.get("user_email"),
            event.get("organization_id"),
            event.get("organization"),
        ),
    )
