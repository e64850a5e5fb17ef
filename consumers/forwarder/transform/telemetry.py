"""What clients report, as CVAT has it: their events as they are, and the time worked."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from consumers.forwarder.transform.row import MAX_COUNT, MAX_DURATION, Row, transforms
from domain.events.telemetry import ACTIVITY, ClientEvent, ClientEventsReported, WorkingTime


@transforms(ClientEventsReported)
def reported(body: ClientEventsReported) -> Iterator[Row]:
    for event in body.events:
        if event["scope"] != ACTIVITY:
            yield _event(event)
    for worked in body.working_times:
        yield _working_time(worked)


def _event(event: ClientEvent) -> Row:
    told = event.get
    count = event.get("count")
    # Not by name: there are more of these than of all other rows together, and this takes a quarter of the time.
    return tuple.__new__(
        Row,
        (
            event["scope"],
            told("obj_name"),
            told("obj_id"),
            told("obj_val"),
            count if count is None or count < MAX_COUNT else MAX_COUNT,
            told("payload", "{}"),
            told("task_id"),
            told("job_id"),
            told("project_id"),
            told("duration", 0),
            datetime.fromisoformat(event["timestamp"]),
            "client",
            None,
        ),
    )


def _working_time(worked: WorkingTime) -> Row:
    milliseconds = min(worked["milliseconds"], MAX_DURATION)  # once, reports could add up to more
    return Row(
        "send:working_time",
        amount=1,
        payload={"working_time": milliseconds},
        project_id=worked["project_id"],
        task_id=worked["task_id"],
        job_id=worked["job_id"],
        duration=milliseconds,
        time=datetime.fromisoformat(worked["timestamp"]),
    )
