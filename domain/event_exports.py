"""Exports of what is known of people's work: analytics events as CSV, as CVAT offers them."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from domain.event import Context
from domain.events.request import RequestQueued
from domain.ports import Log
from domain.request import request_id


@dataclass(frozen=True)
class WantedEvents:
    """Those of `since` <= time <= `until` (None: from the first on) that have all of these ids that are given."""

    until: datetime
    since: datetime | None = None
    org_id: int | None = None
    project_id: int | None = None
    task_id: int | None = None
    job_id: int | None = None
    user_id: int | None = None

    def params(self) -> dict[str, Any]:
        """As a request keeps them."""
        since = None if self.since is None else self.since.isoformat()
        return asdict(self) | {"since": since, "until": self.until.isoformat()}

    @classmethod
    def of(cls, params: dict[str, Any]) -> WantedEvents:
        given = {name: params[name] for name in cls.__dataclass_fields__}
        since = None if given["since"] is None else datetime.fromisoformat(given["since"])
        return cls(**given | {"since": since, "until": datetime.fromisoformat(given["until"])})


def export_id(context: Context, number: str) -> str:
    """The request that this user's export with this number is."""
    return request_id(action="export", target="events", id=number, user_id=context.actor.user_id)


class EventExports:
    """The use case of such exports."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def queue(self, context: Context, number: str, wanted: WantedEvents, filename: str | None = None) -> str:
        """Returns the request's id. `number`: one that no other export has."""
        body = RequestQueued(
            request_id=export_id(context, number),
            queue="export",
            action="export",
            target="events",
            subresource="",
            owner_id=context.actor.user_id,
            owner=context.actor.username,
            project_id=None,
            task_id=None,
            job_id=None,
            params=wanted.params() | {"filename": filename},
        )
        self._log.record(context, [body], {body.stream: 0})
        return body.request_id
