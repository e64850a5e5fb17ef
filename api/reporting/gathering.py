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

MAX_WAITING = 1_000
"""That are told apart at once. What comes on top is counted by scope alone."""

MAX_VARIANTS = 20
"""Of one kind, told apart within LONGEST_PAUSE. What comes on top is counted by kind alone: a client that makes up ever
new ones does not fill the log with them.
"""

MANY = "More than can be told apart"
OF_A_SCOPE = frozenset({"queue"})
OF_A_KIND = OF_A_SCOPE | {"basename", "action", "status_code"}
"""What a payload still says then."""

Kind = tuple[Hashable, ...]
"""It begins with the scope. Nothing that a client can make up belongs to it."""
Variant = Hashable
"""What is counted together within a kind: all that are equal in what they say."""
OTHERS = object()
"""The variant that stands for all that are not told apart."""

Key = tuple[Kind, Variant]


@dataclass(slots=True)
class _Waiting:
    event: ServerEvent
    due: float
    count: int = 0
    size: int = 0


@dataclass(slots=True)
class _Pace:
    """When it was told last, and for how long its next happenings are gathered."""

    told: float
    pause: float


@dataclass(slots=True)
class _Window:
    """The variants of a kind that are told apart for now."""

    since: float
    known: set[Variant]


class Gathering:
    """For use by several threads. Times are those of one monotonic clock, in seconds. `pause`: for how long the first
    of a kind waits for others.
    """

    def __init__(self, pause: float) -> None:
        self._pause = pause
        self._lock = threading.Lock()
        self._waiting: dict[Key, _Waiting] = {}
        self._paces: dict[Key, _Pace] = {}
        self._windows: dict[Kind, _Window] = {}

    def add(
        self, kind: Kind, now: float, describe: Callable[[], ServerEvent], size: int = 0, *, variant: Variant = None
    ) -> None:
        """One happening. `describe` is called for the first of those that are counted together, which then stands for
        all; `size`: bytes.
        """
        with self._lock:
            waiting = self._waiting.get((kind, variant))
            if waiting is None:
                key = self._key(kind, variant, now)
                waiting = self._waiting.get(key) or self._wait(key, now, describe())
            waiting.count += 1
            waiting.size += size

    def take(self, now: float, *, everything: bool = False) -> list[ServerEvent]:
        """What is due, with what soon would be; it is not told again. In the order in which it began."""
        with self._lock:
            if not everything and not any(waiting.due <= now for waiting in self._waiting.values()):
                return []
            soon = now + self._pause
            due = [key for key, waiting in self._waiting.items() if everything or waiting.due <= soon]
            for key in due:
                self._slow_down(key, now)
            self._paces = {key: pace for key, pace in self._paces.items() if now < _forgotten(pace)}
            self._windows = {kind: window for kind, window in self._windows.items() if now < _closed(window)}
            return [_told(self._waiting.pop(key)) for key in due]

    def _key(self, kind: Kind, variant: Variant, now: float) -> Key:
        """Under which one is counted that is not waiting yet."""
        window = self._windows.get(kind)
        if window is None or now >= _closed(window):
            window = self._windows[kind] = _Window(now, set())
        if variant not in window.known and len(window.known) >= MAX_VARIANTS:
            variant = OTHERS
        if len(self._waiting) >= MAX_WAITING and (kind, variant) not in self._waiting:
            return kind[:1], OTHERS
        if variant is not OTHERS:
            window.known.add(variant)
        return kind, variant

    def _wait(self, key: Key, now: float, event: ServerEvent) -> _Waiting:
        pace = self._paces.get(key)
        due = now + self._pause if pace is None else max(now, pace.told + pace.pause)
        waiting = self._waiting[key] = _Waiting(_described(key, event), due)
        return waiting

    def _slow_down(self, key: Key, now: float) -> None:
        pace = self._paces.get(key)
        goes_on = pace is not None and now < _forgotten(pace)
        pause = min(2 * pace.pause, LONGEST_PAUSE) if pace is not None and goes_on else self._pause
        self._paces[key] = _Pace(now, pause)


def _described(key: Key, event: ServerEvent) -> ServerEvent:
    """Without what does not hold of all that are counted under the key."""
    kind, variant = key
    if variant is not OTHERS:
        return event
    of_scope = len(kind) == 1
    kept = {name: value for name, value in event["payload"].items() if name in (OF_A_SCOPE if of_scope else OF_A_KIND)}
    told: ServerEvent = {
        "scope": event["scope"],
        "timestamp": event["timestamp"],
        "count": 0,
        "payload": {"message": MANY, **kept},
    }
    if not of_scope and "user_id" in event:
        told["user_id"] = event["user_id"]
        if "user_name" in event:
            told["user_name"] = event["user_name"]
    return told


def _closed(window: _Window) -> float:
    return window.since + LONGEST_PAUSE


def _forgotten(pace: _Pace) -> float:
    """From when on it counts as a new one."""
    return pace.told + 2 * pace.pause


def _told(waiting: _Waiting) -> ServerEvent:
    event = waiting.event
    event["count"] = waiting.count
    if waiting.size:
        event["payload"].setdefault("cache_item", {})["size"] = waiting.size
    return event
