"""A few events, and how many rows they give each table."""

from __future__ import annotations

from datetime import UTC, datetime

from domain.event import Body
from domain.events.annotations import AnnotationsChanged
from domain.events.job import JobCreated, JobStateChanged
from domain.events.label import LabelsAdded
from domain.events.request import RequestFailed, RequestQueued
from domain.events.telemetry import ClientEventsReported
from domain.events.user import UserProfileChanged, UserRegistered

from .steps import recorded

NOON = datetime(2026, 11, 9, 12, tzinfo=UTC)
REQUEST = "action=export&target=task&target_id=7"


def shape(object_id: int, label_id: int, frame: int) -> dict[str, object]:
    return {"id": object_id, "label_id": label_id, "frame": frame, "type": "rectangle"}


def bodies(start: datetime) -> list[tuple[float, Body]]:
    worked = {"timestamp": start.isoformat(), "milliseconds": 9_000, "project_id": None, "task_id": 7, "job_id": 31}
    asked = RequestQueued(
        REQUEST, "export", "export", "task", "dataset", 5, "ann", None, 7, None, {"format": "COCO 1.0"}
    )
    return [
        (0, LabelsAdded(None, 7, [{"id": 3, "name": "cat", "color": "#fff", "type": "any", "attributes": []}])),
        (1, JobCreated(31, 7, None, 1, "annotation", 0, 9, None, "annotation", "new", None)),
        (10, AnnotationsChanged(31, 7, None, {"shapes": [shape(1, 3, 0), shape(2, 3, 1)]}, {}, {})),
        (20, asked),
        (30, RequestFailed(REQUEST, 7, "no space left")),
        (40, ClientEventsReported(5, start.date().isoformat(), [], [worked], None)),
        (50, JobStateChanged(31, 7, None, "annotation", "completed", "annotation", "new")),
        (60, UserRegistered(6, "bob", "bob@example.org", "", "", False, "")),
        (70, UserProfileChanged(6, {"email": {"from": "bob@example.org", "to": "bob@example.com"}})),
    ]


EVENTS = recorded(bodies(NOON), NOON)
ROWS = {
    "events": 11,
    "working_time": 1,
    "annotation_objects": 2,
    "job_changes": 2,
    "request_changes": 2,
    "exceptions": 1,
    "name_changes": 2,
    "email_changes": 2,
}
