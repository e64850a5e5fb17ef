"""Reports of user interfaces as they were taken."""

from __future__ import annotations

from typing import Any

from domain.event import Actor
from domain.telemetry import Report, Reported


def report(taken: Report, actor: Actor) -> dict[str, Any]:
    """With times by the server's clock, and who it is that reports."""
    who = {
        "user_id": actor.user_id,
        "user_name": actor.username,
        "user_email": actor.email,
        "org_id": actor.organization_id,
        "org_slug": actor.organization,
    }
    return {"timestamp": taken.time, "events": [_event(event) | who for event in taken.events]}


def _event(event: Reported) -> dict[str, Any]:
    return {
        "scope": event.scope,
        "timestamp": event.time,
        "source": "client",
        "duration": event.duration,
        **event.place._asdict(),
        "payload": "{}",
        **event.details,
    }
