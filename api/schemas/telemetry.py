"""What user interfaces report, as they send it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import orjson
from pydantic import AfterValidator, Field

from api.schemas.common import Body, Text
from domain.telemetry import MAX_EVENTS, Place, Report, Reported

Count = Annotated[int, Field(ge=0, le=2**63 - 1)]
"""A number that ClickHouse has a column for."""


def _zoned(time: datetime) -> datetime:
    if not 1900 <= time.year <= 2200:
        raise ValueError("Datetime value out of range.")
    return time.astimezone(UTC) if time.tzinfo else time.replace(tzinfo=UTC)


def _json(text: str) -> str:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        raise ValueError("JSON payload is not valid in passed event") from None
    return text


Time = Annotated[datetime, AfterValidator(_zoned)]
JsonText = Annotated[Text, Field(max_length=65_536), AfterValidator(_json)]
Word = Annotated[Text, Field(min_length=1, max_length=2_000)]


class ClientEventWrite(Body):
    """One event. `timestamp`: by the client's clock; `duration`: milliseconds; `payload`: JSON in a string."""

    scope: Annotated[Text, Field(min_length=1, max_length=100)]
    timestamp: Time
    obj_name: Word | None = None
    obj_id: Count | None = None
    obj_val: Word | None = None
    count: Count | None = None
    duration: Annotated[int, Field(ge=0, le=2**32 - 1)] = 0
    project_id: Count | None = None
    task_id: Count | None = None
    job_id: Count | None = None
    payload: JsonText | None = None

    def reported(self) -> Reported:
        told = {name: getattr(self, name) for name in ("obj_name", "obj_id", "obj_val", "count", "payload")}
        details: dict[str, Any] = {name: value for name, value in told.items() if value is not None}
        place = Place(self.project_id, self.task_id, self.job_id)
        return Reported(self.scope, self.timestamp, self.duration, place, details)


class ClientEventsWrite(Body):
    """A report: what happened since the one before. `previous_event`: the last of that."""

    events: Annotated[list[ClientEventWrite], Field(max_length=MAX_EVENTS)] = []
    previous_event: ClientEventWrite | None = None
    timestamp: Time

    def report(self) -> Report:
        previous = self.previous_event.reported() if self.previous_event else None
        return Report(self.timestamp, [event.reported() for event in self.events], previous)
