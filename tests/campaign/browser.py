"""What the browsers of annotators report of them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from random import Random
from typing import Any

import orjson

from domain.event import Context
from domain.telemetry import Place, Report, Reported, Telemetry

from .tape import Tape

PLATFORMS = [
    {"name": "Chrome", "version": "142", "os": "Windows 11"},
    {"name": "Firefox", "version": "145", "os": "Ubuntu 24.04"},
    {"name": "Chrome", "version": "141", "os": "Windows 10"},
    {"name": "Safari", "version": "26", "os": "macOS 26"},
]
ERRORS = ["Could not fetch the chunk: Network Error", "Cannot read properties of undefined (reading 'points')"]
SCOPES = ["draw:object", "draw:object", "draw:object", "change:frame", "zoom:image", "drag:object", "resize:object"]
PAUSE = 15
"""Seconds between two events of a browser, more or less."""
MOST = 8
"""Events of one report; a person who is slow leaves longer pauses."""


class Browser:
    """Of one person. It tells every event once, in order."""

    def __init__(self, tape: Tape, context: Context, random: Random, number: int) -> None:
        self._telemetry, self._tape, self._context, self._random = Telemetry(tape), tape, context, random
        self._previous: Reported | None = None
        self._platform = PLATFORMS[number % len(PLATFORMS)]
        self._address = f"10.0.0.{number % 250 + 1}"

    def open(self) -> None:
        """In the morning; it does not go on with what was yesterday."""
        self._previous = None
        payload = {"location": "/tasks", "platform": self._platform, "screen": {"width": 1920, "height": 1080}}
        self._report([self._event("load:cvat", self._tape.now, Place(), payload=payload)])

    def load(self, place: Place) -> None:
        """A job is opened."""
        self._report([self._event("load:job", self._tape.now, place, self._random.randint(200, 1_800))])

    def work(self, place: Place, seconds: float) -> None:
        """`seconds` of work end now."""
        number = max(2, min(MOST, int(seconds / PAUSE)))
        start = self._tape.now - timedelta(seconds=seconds)
        pause = timedelta(seconds=seconds / number)
        events = [self._action(start + pause * (n + 1), place) for n in range(number - 1)]
        if self._random.random() < 0.004:
            payload = {"message": self._random.choice(ERRORS), "stack": "at Canvas.draw", "filename": "main.js"}
            events.append(self._event("send:exception", self._tape.now, place, count=1, payload=payload))
        self._report([*events, self._event("save:job", self._tape.now, place, self._random.randint(80, 400))])

    def _action(self, time: datetime, place: Place) -> Reported:
        scope = self._random.choice(SCOPES)
        if scope == "change:frame":
            payload = {"from": place.job_id or 0, "to": (place.job_id or 0) + 1, "step": 1}
            return self._event(scope, time, place, self._random.randint(100, 900), count=1, payload=payload)
        if scope == "zoom:image":
            return self._event(scope, time, place)
        return self._event(scope, time, place, self._random.randint(900, 4_000), count=1)

    def _event(self, scope: str, time: datetime, place: Place, duration: int = 0, **details: Any) -> Reported:
        if "payload" in details:
            details["payload"] = orjson.dumps(details["payload"]).decode()
        return Reported(scope, time, duration, place, details)

    def _report(self, events: Sequence[Reported]) -> None:
        report = Report(self._tape.now, events, self._previous)
        self._telemetry.report(self._context, report, self._address)
        self._previous = events[-1]
