"""`domain.saves.Saves` over events in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from itertools import groupby

from domain.annotation.timeline import save_of
from domain.event import Event
from domain.events.annotations import AnnotationsBody, AnnotationsCleared, AnnotationsReplaced
from domain.events.label import LabelDeleted, LabelRestored
from domain.saves import Reached, Save, Span


class NaiveSaves:
    """Looks through the whole log for each question."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._events = events

    def at_version(self, stream: str, version: int) -> Reached | None:
        return self._reached([stream], lambda event: event.originator_version == version)

    def at_position(self, streams: Sequence[str], position: int) -> Reached | None:
        return self._reached(streams, lambda event: event.position == position)

    def at_time(self, streams: Sequence[str], time: datetime | None) -> int:
        events = [event for event in self._of(streams) if time is None or event.meta.time <= time]
        return events[-1].position if events else 0

    def spans(self, streams: Sequence[str], position: int) -> dict[str, Span]:
        spans: dict[str, Span] = {}
        for event in self._of(streams):
            if event.position <= position:
                stream, version = event.originator_id, event.originator_version
                anew = isinstance(event.body, AnnotationsReplaced | AnnotationsCleared)
                spans[stream] = Span(version - 1 if anew or version == 1 else spans[stream].after, version)
        return spans

    def page(self, streams: Sequence[str], limit: int | None, offset: int) -> tuple[int, list[Save]]:
        saves = [self._save(list(events)) for _, events in groupby(self._of(streams), key=save_of)]
        return len(saves), saves[::-1][offset:][:limit]

    def labels_moved(self, stream: str, position: int) -> list[int]:
        moved = [event for event in self._of([stream]) if isinstance(event.body, LabelDeleted | LabelRestored)]
        return [event.originator_version for event in moved if event.position <= position]

    def _of(self, streams: Sequence[str]) -> list[Event]:
        return [event for event in self._events if event.originator_id in streams]

    def _reached(self, streams: Sequence[str], wanted: Callable[[Event], bool]) -> Reached | None:
        events = self._of(streams)
        for event, following in zip(events, [*events[1:], None], strict=True):
            if wanted(event):
                return Reached(event.position, following is None or save_of(following) != save_of(event))
        return None

    @staticmethod
    def _save(events: list[Event]) -> Save:
        first, last, meta = events[0], events[-1], events[-1].meta
        jobs = {body.job_id for body in (event.body for event in events) if isinstance(body, AnnotationsBody)}
        types = {event.body.type_name for event in events}
        return Save(
            first.position,
            last.position,
            max(event.originator_version for event in events),
            tuple(sorted(jobs)),
            tuple(sorted(types)),
            meta.time,
            meta.actor_id,
            meta.actor,
            meta.source,
            meta.user_agent,
            meta.correlation_id,
        )
