"""What clients report of themselves: events of their user interface, and the time worked that follows from them. And
what servers report: what they refused or failed at.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, timedelta
from typing import Any, NamedTuple, cast

from domain.errors import Invalid, TooLarge
from domain.event import Context
from domain.events.telemetry import ClientEvent, ClientEventsReported, ServerEvent, ServerEventsReported, WorkingTime
from domain.ports import Log

CLIENT_SCOPES = frozenset(
    {"load:cvat", "load:job", "load:workspace", "save:job", "send:exception", "change:frame", "draw:object",
     "paste:object", "copy:object", "delete:object", "propagate:object", "merge:objects", "group:objects",
     "join:objects", "split:objects", "slice:object", "drag:object", "resize:object", "zoom:image", "fit:image",
     "rotate:image", "action:undo", "action:redo", "run:annotations_action", "click:element", "debug:info",
     "user:activity"}
)  # fmt: skip
"""What CVAT's clients report, and all that is taken from one: a client can't say what only the server knows."""

EXTENDING = "change:frame"
"""The scope whose duration is time worked: many changes of frame are reported as one."""

MAX_GAP = timedelta(seconds=100)
"""A pause of this length or more is none that was worked through."""

LONGEST = timedelta(days=1)
"""So much of an event's duration can be time worked, and an event that is said to happen later than this behind the
report counts as if it happened then. CVAT knows no bound, but what a client says must not overflow a sum, and nobody
goes through frames for longer than a day.
"""

OLDEST = timedelta(days=30)
"""Events that are said to be older than this, or of the future, get the nearest time that is believable."""

MAX_EVENTS = 5_000
"""In one report."""
MAX_TEXT = 8 * 1024 * 1024
"""Characters of all payloads of one report."""


class Place(NamedTuple):
    """Where an event happened, as far as the client knows."""

    project_id: int | None = None
    task_id: int | None = None
    job_id: int | None = None


NOWHERE = Place()


@dataclass(frozen=True)
class Reported:
    """One event. `duration`: milliseconds; `details`: the other fields of a ClientEvent that the client gave."""

    scope: str
    time: datetime
    duration: int = 0
    place: Place = NOWHERE
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def end(self) -> datetime:
        """Until when there was work at it."""
        return self.time + min(timedelta(milliseconds=self.duration), LONGEST) if self.scope == EXTENDING else self.time


@dataclass(frozen=True)
class Report:
    """What a client sends at once. All times are by its clock, which shows `time` as it sends. `previous`: the last
    event of the report before.
    """

    time: datetime
    events: Sequence[Reported]
    previous: Reported | None = None

    def by_clock(self, received: datetime) -> Report:
        """The same with times by the clock that showed `received` when this came in."""
        shift = received - self.time
        events = [replace(event, time=event.time + shift) for event in self.events]
        previous = self.previous and replace(self.previous, time=self.previous.time + shift)
        return Report(received, events, previous)

    def worked(self) -> list[Worked]:
        """The time worked: whatever the report says, not more than OLDEST and twice LONGEST in all."""
        earliest, latest = self.time - OLDEST, self.time + LONGEST

        def near(event: Reported) -> Reported:
            return replace(event, time=min(max(event.time, earliest), latest))

        return working_times(self.previous and near(self.previous), [near(event) for event in self.events])


class Worked(NamedTuple):
    """`since`: the time of the first event that was counted to the place."""

    place: Place
    since: datetime
    duration: timedelta


def working_times(previous: Reported | None, events: Sequence[Reported]) -> list[Worked]:
    """The time worked at each place, where there was any, as CVAT reckons it: what passes up to an event was worked
    where the event before happened, unless nothing was heard for MAX_GAP.
    """
    if not events:
        return []
    before = previous or events[0]
    end, place = (previous.end if previous else events[0].time), before.place
    since: dict[Place, datetime] = {}
    sums: defaultdict[Place, timedelta] = defaultdict(timedelta)
    for event in events:
        gap = event.time - end
        if timedelta() < gap < MAX_GAP:
            sums[place] += gap
        end = max(end, event.time)
        if event.end > end:
            sums[place] += event.end - end
            end = event.end
        since.setdefault(place, event.time)
        place = event.place
    return [Worked(place, since[place], worked) for place, worked in sums.items() if worked]


def check_scope(scope: str) -> None:
    """Raises Invalid for one that no client has."""
    if scope not in CLIENT_SCOPES:
        raise Invalid({"scope": [f"Event scope {scope} is not supported from a client"]})


class Telemetry:
    """The use cases of user interfaces, and of the server itself."""

    def __init__(self, log: Log) -> None:
        self._log = log

    def report(self, context: Context, report: Report, remote_addr: str | None = None) -> Report:
        """Records what a client of a user reports; returns it with times by the server's clock. Raises Invalid for a
        scope that no client has, TooLarge.
        """
        for event in report.events:
            check_scope(event.scope)
        if sum(len(event.details.get("payload", "")) for event in report.events) > MAX_TEXT:
            raise TooLarge(f"The payloads of one report may have {MAX_TEXT:,} characters together")
        report = report.by_clock(self._log.clock())
        user_id = context.actor.user_id
        assert user_id is not None  # whoever reports is logged in
        self._log.record(context, _by_day(user_id, report, remote_addr))
        return report

    def report_of_server(self, context: Context, process: str, events: Sequence[ServerEvent]) -> None:
        """Records what a server process tells of itself."""
        days: defaultdict[str, list[ServerEvent]] = defaultdict(list)
        for event in events:
            days[event["timestamp"][: len("2026-11-21")]].append(event)
        self._log.record(context, [ServerEventsReported(process, day, days[day]) for day in sorted(days)])


def _by_day(user_id: int, report: Report, remote_addr: str | None) -> list[ClientEventsReported]:
    """One body for each day, so that what belongs to one month is never part of an event of another."""
    events: defaultdict[date, list[ClientEvent]] = defaultdict(list)
    for event in report.events:
        time = _believable(event.time, report.time)
        events[time.date()].append(_client_event(event, time))
    times: defaultdict[date, list[WorkingTime]] = defaultdict(list)
    for worked in report.worked():
        time = _believable(worked.since, report.time)
        times[time.date()].append(_working_time(worked, time))
    return [
        ClientEventsReported(user_id, day.isoformat(), events[day], times[day], remote_addr) for day in sorted(events)
    ]


def _believable(time: datetime, received: datetime) -> datetime:
    return min(max(time, received - OLDEST), received)


def _client_event(event: Reported, time: datetime) -> ClientEvent:
    place = {name: value for name, value in event.place._asdict().items() if value is not None}
    duration = {"duration": event.duration} if event.duration else {}
    told = {"scope": event.scope, "timestamp": time.isoformat(), **duration, **place, **event.details}
    return cast(ClientEvent, told)


def _working_time(worked: Worked, time: datetime) -> WorkingTime:
    project_id, task_id, job_id = worked.place
    return {
        "timestamp": time.isoformat(),
        "milliseconds": worked.duration // timedelta(milliseconds=1),
        "project_id": project_id,
        "task_id": task_id,
        "job_id": job_id,
    }
