"""The log as simulated people see it: its clock shows their time, and what is recorded is written by the batch."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from typing import Any

from cli.bootstrap import System
from domain.application import Annals, metadata
from domain.event import NEXT_VERSION, Body, Context, Event
from domain.ports import Clock

from .summary import Summary

BATCH = 2_000
"""Events that are written at once."""


class Tape:
    """Stands in for the application where a use case only records, and hands over to it where it must look first."""

    def __init__(self, system: System, start: datetime) -> None:
        self.app, self.ids, self.lookup = system.app, system.app.ids, system.app.lookup
        self.passwords = system.app.passwords
        self.now = start
        self.clock: Clock = lambda: self.now
        self.summary = Summary()
        self._waiting: list[Event] = []
        self._requests = 0

    def record(self, context: Context, bodies: Sequence[Body], expect: Mapping[str, int] | None = None) -> list[Event]:
        """`expect` needs no check: nobody else is there."""
        self._requests += 1
        meta = metadata(replace(context, correlation_id=f"{self._requests:08x}"), self.now)
        events = [Event(body.stream, NEXT_VERSION, body, meta) for body in bodies]
        self._waiting += events
        for body in bodies:
            self.summary.count(meta, body)
        if len(self._waiting) >= BATCH:
            self.flush()
        return events

    def flush(self) -> None:
        if self._waiting:
            self.app.events.put(self._waiting)
            self._waiting = []

    @contextmanager
    def really(self) -> Iterator[Annals]:
        """The application itself, at the campaign's time and with all that was recorded before; what it records is
        counted, too.
        """
        self.flush()
        clock, self.app.clock = self.app.clock, self.clock
        before = self.app.recorder.max_notification_id() or 0
        try:
            yield self.app
        finally:
            self.app.clock = clock
        head = self.app.recorder.max_notification_id() or 0
        for event in self.app.recorded(before + 1, head):
            self.summary.count(event.meta, event.body)

    def load(self, *_: Any) -> Any:
        raise AssertionError("a use case that must look first needs `really`")

    history = recorded = load
