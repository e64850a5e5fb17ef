"""What clients report, as CVAT has it: their events as they are, and the time worked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from consumers.forwarder.transform.row import MAX_COUNT, Row, transforms
from domain.events.telemetry import ClientEvent, ClientEventsReported, WorkingTime
from domain.telemetry import ACTIVITY


@transforms(ClientEventsReported)
def reported(body: ClientEventsReported) -> Iterator[Row]:
    for event in body.events:
        if event["scope"] != ACTIVITY:
            yield _event(event)
    for worked in body.working_times:
        yield _working_time(worked)


def _event(event: ClientEvent) -> Row:
    count = event.get("count")
    return Row(
        event["scope"],
        event.get("obj_name"),
        event.get("obj_id"),
        event.get("obj_val"),
        None if count is None else min(count, MAX_COUNT),
        event.get("payload", "{}"),
        project_id=event.get("project_id"),
        task_id=event.get("task_id"),
        job_id=event.get("job_id"),
        duration=event.get("duration", 0),
        time=datetime.fromisoformat(event["timestamp"]),
        source="client",
    )


def _working_time(worked: WorkingTime) -> Row:
    milliseconds = worked["milliseconds"]
    return Row(
        "send:working_time",
        amount=1,
        payload={"working_time": milliseconds},
        project_id=worked["project_id"],
        task_id=worked["task_id"],
        job_id=worked["job_id"],
        duration=milliseconds,
        time=datetime.fromisoformat(worked["timestamp"]),
        source="client",
    )
