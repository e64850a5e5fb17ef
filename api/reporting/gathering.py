"""Many happenings, told as few: those of one kind are counted until it is time to tell of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass

from domain.events.telemetry import ServerEvent

LONGEST_PAUSE = 60.0
"""Seconds between two reports of one kind. The pause doubles up to this while the kind goes on, so that whoever does
the same a thousand times a second adds one entry a minute to the log.
"""

MAX_KINDS = 1_000
"""Waiting to be told. What comes on top is counted by scope alone."""

Kind = tuple[Hashable, ...]
"""What is counted together. It begins with the scope."""


@dataclass(slots=True)
class _Waiting:
    event: ServerEvent
    due: float
    count: int = 0
    size: int = 0


@dataclass(slots=True)
class _Pace:
    """When a kind was told last, and for how long its next happenings are gathered."""

    told: float
    pause: float


class Gathering:
    """For use by several threads. Times are those of one monotonic clock, in seconds. `pause`: for how long the first
    of a kind waits for others.
    """

    def __init__(self, pause: float) -> None:
        self._pause = pause
        self._lock = threading.Lock()
        self._waiting: dict[Kind, _Waiting] = {}
        self._paces: dict[Kind, _Pace] = {}

    def add(self, kind: Kind, now: float, describe: Callable[[], ServerEvent], size: int = 0) -> None:
        """One happening. `describe` is called for the first of its kind, which then stands for all; `size`: bytes."""
        with self._lock:
            waiting = self._waiting.get(kind)
            if waiting is None:
                if len(self._waiting) >= MAX_KINDS:
                    kind = (kind[0],)
                waiting = self._waiting.get(kind) or self._wait(kind, now, describe())
            waiting.count += 1
            waiting.size += size

    def take(self, now: float, *, everything: bool = False) -> list[ServerEvent]:
        """What is due, with what soon would be; it is not told again. In the order in which it began."""
        with self._lock:
            if not everything and not any(waiting.due <= now for waiting in self._waiting.values()):
                return []
            soon = now + self._pause
            due = [kind for kind, waiting in self._waiting.items() if everything or waiting.due <= soon]
            for kind in due:
                self._slow_down(kind, now)
            self._paces = {kind: pace for kind, pace in self._paces.items() if now < _forgotten(pace)}
            return [_told(self._waiting.pop(kind)) for kind in due]

    def _wait(self, kind: Kind, now: float, event: ServerEvent) -> _Waiting:
        if len(kind) == 1:
            kept = {name: value for name, value in event["payload"].items() if name == "queue"}
            event["payload"] = {"message": "More than can be told apart", **kept}
        pace = self._paces.get(kind)
        due = now + self._pause if pace is None else max(now, pace.told + pace.pause)
        waiting = self._waiting[kind] = _Waiting(event, due)
        return waiting

    def _slow_down(self, kind: Kind, now: float) -> None:
        pace = self._paces.get(kind)
        goes_on = pace is not None and now < _forgotten(pace)
        pause = min(2 * pace.pause, LONGEST_PAUSE) if pace is not None and goes_on else self._pause
        self._paces[kind] = _Pace(now, pause)


def _forgotten(pace: _Pace) -> float:
    """From when on the kind counts as a new one."""
    return pace.told + 2 * pace.pause


def _told(waiting: _Waiting) -> ServerEvent:
    event = waiting.event
    event["count"] = waiting.count
    if waiting.size:
        event["payload"].setdefault("cache_item", {})["size"] = waiting.size
    return event
