"""The application: every use case there is, on one log.

A use case loads what it must know, decides, and records. Each noun's use cases stand in its own module; they know
ports (ids, clock, lookup), never adapters.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeVar

from eventsourcing.application import Application
from eventsourcing.persistence import InfrastructureFactory

import domain.events  # noqa: F401  (registers every event type)
from domain.access_token import AccessTokens
from domain.annotation_history import AnnotationHistory
from domain.annotation_restoration import AnnotationRestoration
from domain.annotations import Annotations
from domain.data import Data
from domain.deleted_frames import DeletedFrames
from domain.event import NEXT_VERSION, Body, Context, Event, Metadata
from domain.event_exports import EventExports
from domain.exports import Exports
from domain.ground_truth import GroundTruth
from domain.imports import Imports
from domain.issue import Issues
from domain.job import Jobs
from domain.label import Labels
from domain.ports import Clock, Ids, Lookup, Passwords
from domain.project import Projects
from domain.request import Requests
from domain.restoration import Restoration
from domain.task import Tasks
from domain.telemetry import Telemetry
from domain.user import Users
from domain.validation_layout import ValidationLayouts

State = TypeVar("State")
PAGE_EVENTS = 100
"""So many are read from the log at once; each may hold some thousands of annotation objects."""


class Annals(Application[str]):
    """Made once per process by the composition root, with every dependency as a parameter. Thread-safe."""

    name = "annals"
    log_section_size = 1_000

    def __init__(
        self,
        factory: InfrastructureFactory[Any],
        *,
        clock: Clock,
        ids: Ids,
        lookup: Lookup,
        passwords: Passwords,
    ) -> None:
        self._factory = factory
        super().__init__()
        self.clock, self.ids, self.lookup, self.passwords = clock, ids, lookup, passwords
        self.users = Users(self)
        self.access_tokens = AccessTokens(self)
        self.projects = Projects(self)
        self.tasks = Tasks(self)
        self.labels = Labels(self)
        self.data = Data(self)
        self.deleted_frames = DeletedFrames(self)
        self.jobs = Jobs(self)
        self.issues = Issues(self)
        self.ground_truth = GroundTruth(self)
        self.validation_layouts = ValidationLayouts(self)
        self.annotations = Annotations(self)
        self.annotation_history = AnnotationHistory(self)
        self.annotation_restoration = AnnotationRestoration(self, self.annotation_history)
        self.requests = Requests(self)
        self.exports = Exports(self)
        self.event_exports = EventExports(self)
        self.imports = Imports(self)
        self.telemetry = Telemetry(self)
        self.restoration = Restoration(self.projects, self.tasks, self.jobs, self.labels)

    def construct_factory(self, env: Any) -> InfrastructureFactory[Any]:  # noqa: ARG002
        return self._factory

    def load(self, stream: str, evolve: Callable[[State, Body], State], initial: State) -> tuple[State, int]:
        """Fold a stream; returns its state and version (0: there is no such stream)."""
        state, version = initial, 0
        for event in self.history(stream):
            state, version = evolve(state, event.body), event.originator_version
        return state, version

    def history(self, stream: str, after: int = 0, until: int | None = None) -> Iterator[Event]:
        """The events of a stream, in order, with their positions: those of `after` < version <= `until`. They are read
        by the page and unpacked one by one, so that a long history takes little memory.
        """
        while True:
            page: Any = self.events.get(stream, gt=after, lte=until, limit=PAGE_EVENTS)
            read = 0
            for event in page:
                yield event
                read, after = read + 1, event.originator_version
            if read < PAGE_EVENTS:
                return

    def recorded(self, first: int, last: int) -> Iterator[Event]:
        """The events of these positions, in order, of whatever streams."""
        while first <= last:
            page = self.recorder.select_notifications(first, PAGE_EVENTS, last)
            for notification in page:
                event: Any = self.mapper.to_domain_event(notification)
                yield event
                first = notification.id + 1
            if len(page) < PAGE_EVENTS:
                return

    def record(self, context: Context, bodies: Sequence[Body], expect: Mapping[str, int] | None = None) -> list[Event]:
        """Append, all or nothing. `expect`: stream → the version that the decision was made on, also of streams that
        only informed it; those that it does not name take the change whatever their version. Raises VersionConflict;
        then load and decide again. Raises DoneBefore when something was recorded under the context's key already.
        """
        meta = metadata(context, self.clock())
        versions = dict(expect or {})
        events = []
        for body in bodies:
            stream = body.stream
            version = NEXT_VERSION
            if stream in versions:
                version = versions[stream] = versions[stream] + 1
            events.append(Event(stream, version, body, meta))
        once = context.once
        if once is not None and not once.recorded and events:
            events[0].meta = meta._replace(idempotency_key=once.key)
        self.events.put(events, expect=expect or {})
        if once is not None:
            once.recorded = True
        return events


def metadata(context: Context, time: Any) -> Metadata:
    actor = context.actor
    return Metadata(
        time=time,
        source=context.source,
        actor_id=actor.user_id,
        actor=actor.username,
        organization_id=actor.organization_id,
        organization=actor.organization,
        correlation_id=context.correlation_id,
        causation_id=context.causation_id,
        user_agent=context.user_agent,
        access_token_id=context.access_token_id,
        actor_email=actor.email or None,
    )
