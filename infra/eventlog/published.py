"""Events as readers outside get them: JSON, in today's shape, without secrets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import orjson
from psycopg.rows import DictRow

from domain.event import body_type
from infra.eventlog.mapper import EventMapper, OrjsonTranscoder, ZstdCompressor, public_fields
from infra.eventlog.rows import logged_event

ENVELOPE = (
    "position", "stream", "version", "type", "schema_version", "time", "source", "actor_id", "actor", "organization_id",
    "organization", "project_id", "task_id", "job_id", "correlation_id", "causation_id", "user_agent",
    "access_token_id",
)  # fmt: skip
"""Without the actor's address: who may see what happens to a task needn't know how to reach everybody at it."""

COLUMNS = ", ".join(f"e.{name}" for name in (*ENVELOPE, "idempotency_key", "actor_email", "state"))
OPTIONS = orjson.OPT_UTC_Z

_compressor = ZstdCompressor()
_mapper = EventMapper(OrjsonTranscoder(), _compressor)


@dataclass(frozen=True, slots=True)
class Published:
    """An event, and what it is found by. `data`: the JSON object that readers get; its `body` is null when this version
    of Annals can't read it.
    """

    position: int
    stream: str
    type: str
    time: datetime
    actor_id: int | None
    project_id: int | None
    task_id: int | None
    job_id: int | None
    data: bytes


@dataclass(frozen=True)
class EventFilter:
    """Which events a reader wants; everything left out is no condition. Times: from `since` on, before `before`."""

    stream: str | None = None
    types: frozenset[str] = frozenset()
    project_id: int | None = None
    task_id: int | None = None
    job_id: int | None = None
    actor_id: int | None = None
    since: datetime | None = None
    before: datetime | None = None

    def matches(self, event: Published) -> bool:
        for name in ("stream", "project_id", "task_id", "job_id", "actor_id"):
            wanted = getattr(self, name)
            if wanted is not None and wanted != getattr(event, name):
                return False
        if self.types and event.type not in self.types:
            return False
        return (self.since is None or event.time >= self.since) and (self.before is None or event.time < self.before)

    def conditions(self) -> tuple[list[str], dict[str, Any]]:
        """The same in SQL, on `log.events e`: terms, and their parameters."""
        names = ("stream", "project_id", "task_id", "job_id", "actor_id")
        equal = {name: getattr(self, name) for name in names if getattr(self, name) is not None}
        terms = [f"e.{name} = %({name})s" for name in equal]
        params: dict[str, Any] = dict(equal)
        for name, term in (("since", "e.time >= %(since)s"), ("before", "e.time < %(before)s")):
            if getattr(self, name) is not None:
                terms.append(term)
                params[name] = getattr(self, name)
        if self.types:
            terms.append("e.type = ANY(%(types)s)")
            params["types"] = sorted(self.types)
        return terms, params


def publish(rows: Sequence[DictRow]) -> list[Published]:
    return [_published(row) for row in rows]


def _published(row: DictRow) -> Published:
    envelope = {name: row[name] for name in ENVELOPE}
    envelope["id"] = f"{row['stream']}@{row['version']}"
    try:
        body = _body(row, envelope)
    except (LookupError, ValueError):  # written by a newer version of Annals, or damaged
        body = None
    data = orjson.dumps(envelope | {"body": body}, option=OPTIONS)
    place = (row["actor_id"], row["project_id"], row["task_id"], row["job_id"])
    return Published(row["position"], row["stream"], row["type"], row["time"], *place, data)


def _body(row: DictRow, envelope: dict[str, Any]) -> Any:
    """In today's shape, which the envelope then tells."""
    cls = body_type(row["type"])
    if row["schema_version"] == cls.schema_version and not cls.secret_fields:
        return orjson.Fragment(_compressor.decompress(bytes(row["state"])))  # as it is stored
    event = _mapper.to_domain_event(logged_event(row))
    envelope["schema_version"] = cls.schema_version
    return public_fields(event.body)
