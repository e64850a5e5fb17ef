"""What clients and servers report of themselves. Streams: `telemetry-<user id>-<day>`, `telemetry-server-<day>`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NotRequired, TypedDict

from domain.event import Body, event_type

ACTIVITY = "user:activity"
"""Says that somebody was there. It counts as time worked, and is nothing to analyse itself."""


class ClientEvent(TypedDict):
    """Something that happened in a user interface. `timestamp`: ISO 8601 in UTC, by the server's clock; `duration`:
    milliseconds; `payload`: JSON text. The ids are what the client says and need not exist. What it did not say is left
    out.
    """

    scope: str
    timestamp: str
    duration: NotRequired[int]
    count: NotRequired[int]
    obj_name: NotRequired[str]
    obj_id: NotRequired[int]
    obj_val: NotRequired[str]
    project_id: NotRequired[int]
    task_id: NotRequired[int]
    job_id: NotRequired[int]
    payload: NotRequired[str]


class WorkingTime(TypedDict):
    """Time worked at one place, as it follows from the events of one report. `timestamp`: of the first of them."""

    timestamp: str
    milliseconds: int
    project_id: int | None
    task_id: int | None
    job_id: int | None


@event_type("ClientEventsReported")
@dataclass(frozen=True)
class ClientEventsReported(Body):
    """A user interface told what its user did on one `day` (ISO 8601, UTC), and what time was worked at it."""

    user_id: int
    day: str
    events: list[ClientEvent]
    working_times: list[WorkingTime]
    remote_addr: str | None

    @property
    def stream(self) -> str:
        return f"telemetry-{self.user_id}-{self.day}"


class ServerEvent(TypedDict):
    """Something that happened in a server process, `count` times within a while that began at `timestamp` (ISO 8601 in
    UTC). Whose request it was, and what is not known, is left out when there is none.
    """

    scope: str
    timestamp: str
    count: int
    payload: dict[str, Any]
    project_id: NotRequired[int]
    task_id: NotRequired[int]
    job_id: NotRequired[int]
    user_id: NotRequired[int]
    user_name: NotRequired[str]
    user_email: NotRequired[str]
    organization_id: NotRequired[int]
    organization: NotRequired[str]


@event_type("ServerEventsReported")
@dataclass(frozen=True)
class ServerEventsReported(Body):
    """A server process told what it refused, failed at or took from its caches on one `day` (ISO 8601, UTC). `process`:
    its machine and number.
    """

    process: str
    day: str
    events: list[ServerEvent]

    @property
    def stream(self) -> str:
        return f"telemetry-server-{self.day}"
