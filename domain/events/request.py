"""Processing work: queued, taken up by an agent, finished or failed. Stream: `request-<request id>`.

A request id is CVAT's deterministic text (`action=create&target=task&target_id=7`); a repeated request goes on in the
same stream.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from domain.event import Body, event_type, upcaster


class RequestBody(Body):
    __slots__ = ()
    request_id: str

    @property
    def stream(self) -> str:
        return f"request-{self.request_id}"


@event_type("RequestQueued")
@dataclass(frozen=True)
class RequestQueued(RequestBody):
    """Somebody asked for work that takes a while. `queue` names the agents that may do it."""

    request_id: str
    queue: str
    action: str
    target: str
    subresource: str
    owner_id: int | None
    owner: str | None
    project_id: int | None
    task_id: int | None
    job_id: int | None
    params: dict[str, Any]


@event_type("RequestStarted")
@dataclass(frozen=True)
class RequestStarted(RequestBody):
    """An agent took the request up. It holds the lease for as long as it beats."""

    request_id: str
    agent: str
    attempt: int


@event_type("LeaseExpired")
@dataclass(frozen=True)
class LeaseExpired(RequestBody):
    """The agent stopped beating; the request waits again."""

    request_id: str
    agent: str
    last_beat: datetime | None


@event_type("RequestFinished")
@dataclass(frozen=True)
class RequestFinished(RequestBody):
    """The work is done. `result` is what the owner gets (`result_id`, `result_url` …)."""

    request_id: str
    task_id: int | None
    result: dict[str, Any]


@event_type("RequestFailed", version=2)
@dataclass(frozen=True)
class RequestFailed(RequestBody):
    """The work could not be done, and why. `stack`: where in the program that came from; empty when it did not come
    from an error.
    """

    request_id: str
    task_id: int | None
    message: str
    stack: str = ""


@upcaster("RequestFailed", 1)
def _with_stack(fields: dict[str, Any]) -> dict[str, Any]:
    """Version 1 did not say where it came from."""
    return {**fields, "stack": ""}


@event_type("RequestCancelled")
@dataclass(frozen=True)
class RequestCancelled(RequestBody):
    """Somebody called the work off before it ended; an agent that is at it throws it away."""

    request_id: str
    task_id: int | None
