"""What a campaign amounted to, counted from the events as they were recorded."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from domain.annotation.document import KINDS, shape_type
from domain.event import Body, Metadata
from domain.events.annotations import AnnotationsChanged, AnnotationsCleared, AnnotationsRestored
from domain.events.job import JobCreated, JobStateChanged
from domain.events.label import LabelsAdded
from domain.events.request import LeaseExpired, RequestFailed, RequestFinished, RequestQueued, RequestStarted
from domain.events.telemetry import ClientEventsReported
from domain.events.user import UserLoggedIn, UserRegistered


@dataclass
class Summary:
    """People go by their usernames, labels and scopes by their names. Times are in milliseconds."""

    events: int = 0
    first: datetime | None = None
    last: datetime | None = None
    types: Counter[str] = field(default_factory=Counter)
    """Events by type."""
    people: dict[int, str] = field(default_factory=dict)
    """Username by id."""
    jobs: Counter[str] = field(default_factory=Counter)
    """created, and of these: annotated, accepted, rejected (as often as it happened)."""
    jobs_annotated: Counter[str] = field(default_factory=Counter)
    """By who said that a job's annotation is completed, as often as that was said."""
    jobs_accepted: Counter[str] = field(default_factory=Counter)
    """By who accepted."""
    jobs_rejected: Counter[str] = field(default_factory=Counter)
    """By who rejected."""
    objects_created: Counter[str] = field(default_factory=Counter)
    """By label: shapes, tracks and tags."""
    objects_by_kind: dict[str, Counter[tuple[str, str]]] = field(default_factory=lambda: defaultdict(Counter))
    """created, updated, deleted → (kind, shape type) → objects."""
    objects_by_person: Counter[str] = field(default_factory=Counter)
    """Created ones."""
    saves: Counter[str] = field(default_factory=Counter)
    """Changes of annotations, by person."""
    working_ms: Counter[str] = field(default_factory=Counter)
    """By person."""
    working_ms_by_task: Counter[int | None] = field(default_factory=Counter)
    client_events: Counter[str] = field(default_factory=Counter)
    """By scope."""
    browsers: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Name and version → people."""
    systems: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    """Operating system → people."""
    requests: Counter[tuple[str, str]] = field(default_factory=Counter)
    """(action, queued | started | finished | failed | expired) → how often."""
    deleted: Counter[str] = field(default_factory=Counter)
    """Event type without `Deleted` → how often."""
    restored: Counter[str] = field(default_factory=Counter)
    """Event type without `Restored` → how often."""
    logins: Counter[str] = field(default_factory=Counter)
    labels: dict[int, str] = field(default_factory=dict)
    """Label name by id."""

    def count(self, meta: Metadata, body: Body) -> None:
        """One event more."""
        self.events += 1
        self.first, self.last = self.first or meta.time, max(self.last or meta.time, meta.time)
        name = body.type_name
        self.types[name] += 1
        if name.endswith("Deleted"):
            self.deleted[name.removesuffix("Deleted")] += 1
        if name.endswith("Restored"):
            self.restored[name.removesuffix("Restored")] += 1
        self._count(meta.actor or "", body)

    def _count(self, person: str, body: Body) -> None:
        match body:
            case AnnotationsChanged() | AnnotationsRestored() | AnnotationsCleared():
                self._drawn(person, body)
            case ClientEventsReported():
                self._reported(self.people[body.user_id], body)
            case JobStateChanged():
                self._moved(person, body)
            case RequestQueued() | RequestStarted() | RequestFinished() | RequestFailed() | LeaseExpired():
                self._asked(body)
            case _:
                self._came(person, body)

    def _came(self, person: str, body: Body) -> None:
        """Something new came into being, or somebody came in."""
        match body:
            case LabelsAdded():
                self.labels |= {label["id"]: label["name"] for label in body.labels}
            case UserRegistered():
                self.people[body.user_id] = body.username
            case UserLoggedIn():
                self.logins[person] += 1
            case JobCreated():
                self.jobs["created"] += 1

    def _drawn(self, person: str, body: Any) -> None:
        self.saves[person] += 1
        for verb in ("created", "updated"):
            document = getattr(body, verb, {})
            for kind in KINDS:
                for item in document.get(kind, ()):
                    self.objects_by_kind[verb][kind, shape_type(kind, item)] += 1
                    if verb == "created":
                        self.objects_created[self.labels[item["label_id"]]] += 1
                        self.objects_by_person[person] += 1
        for kind, by_type in body.removed.items():
            for type_name, ids in by_type.items():
                self.objects_by_kind["deleted"][kind, type_name] += ids if isinstance(ids, int) else len(ids)

    def _reported(self, person: str, body: ClientEventsReported) -> None:
        for event in body.events:
            self.client_events[event["scope"]] += event.get("count", 1) if event["scope"] == "send:exception" else 1
            if event["scope"] == "load:cvat":
                platform = json.loads(event["payload"])["platform"]
                self.browsers[f"{platform['name']} {platform['version']}"].add(person)
                self.systems[platform["os"]].add(person)
        for worked in body.working_times:
            self.working_ms[person] += worked["milliseconds"]
            self.working_ms_by_task[worked["task_id"]] += worked["milliseconds"]

    def _moved(self, person: str, body: JobStateChanged) -> None:
        outcome = {
            ("annotation", "completed"): ("annotated", self.jobs_annotated),
            ("acceptance", "completed"): ("accepted", self.jobs_accepted),
            ("annotation", "rejected"): ("rejected", self.jobs_rejected),
        }.get((body.stage, body.state))
        if outcome:
            self.jobs[outcome[0]] += 1
            outcome[1][person] += 1

    def _asked(self, body: Any) -> None:
        action = body.request_id.removeprefix("action=").partition("&")[0]
        outcome = body.type_name.removeprefix("Request").removeprefix("Lease").lower()
        self.requests[action, outcome] += 1
