"""Records what was gathered, off the way of requests."""

from __future__ import annotations

import os
import socket
import threading
import time
from datetime import UTC, datetime

import structlog
from starlette.requests import Request

from api.observed import Outcome
from api.reporting.cache_items import Access, cache_item_event, cache_item_kind
from api.reporting.exceptions import exception_event, exception_kind, exception_variant, is_reported
from api.reporting.gathering import Gathering
from domain.errors import Unavailable
from domain.event import SYSTEM, Context
from domain.events.telemetry import ServerEvent
from domain.telemetry import Telemetry
from infra.settings import Settings

LOOK_SECONDS = 0.5
EXCEPTION_SECONDS, CACHE_ITEM_SECONDS = 1.0, 10.0
"""How long they are gathered. Many entries in one event take a fifth of the room that each would in one of its own."""

log = structlog.get_logger(__name__)


class Reporter:
    """Of one process. `settings.server_telemetry` says what is told."""

    def __init__(self, settings: Settings, telemetry: Telemetry, *, silent: bool) -> None:
        self._level = "off" if silent else settings.server_telemetry
        self._telemetry = telemetry
        self._process = f"{socket.gethostname()}-{os.getpid()}"
        self._exceptions, self._cache_items = Gathering(EXCEPTION_SECONDS), Gathering(CACHE_ITEM_SECONDS)
        self._unrecorded: list[ServerEvent] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="reporter", daemon=True)

    def start(self) -> None:
        if self._level != "off":
            self._thread.start()

    def stop(self) -> None:
        """Records what is left."""
        self._stopped.set()
        if self._thread.is_alive():
            self._thread.join()
            self._record(everything=True)

    def refused(self, outcome: Outcome) -> None:
        """A request was answered with an error."""
        if self._level != "off" and is_reported(outcome):
            now = datetime.now(UTC)
            self._exceptions.add(
                exception_kind(outcome),
                time.monotonic(),
                lambda: exception_event(outcome, now),
                variant=exception_variant(outcome),
            )

    def cache_item(self, access: Access, request: Request, size: int) -> None:
        """Something of `size` bytes was put into the chunk cache, or read from it, for a request."""
        if self._level == "all":
            now = datetime.now(UTC)
            kind = cache_item_kind(access, request)
            self._cache_items.add(kind, time.monotonic(), lambda: cache_item_event(access, request, now), size)

    def _run(self) -> None:
        while not self._stopped.wait(LOOK_SECONDS):
            self._record()

    def _record(self, *, everything: bool = False) -> None:
        # What could not be recorded waits here; the gatherings, which go on counting, are bounded.
        events = self._unrecorded or self._gathered(everything=everything)
        if not events:
            return
        try:
            self._telemetry.report_of_server(Context(SYSTEM, source="server"), self._process, events)
        except Unavailable as error:
            self._unrecorded = events
            log.warning("what happened in this process can't be recorded yet", error=error.message)
            return
        except Exception:
            log.exception("what happened in this process can't be recorded", events=len(events))
        self._unrecorded = []
        if everything:
            self._record(everything=True)

    def _gathered(self, *, everything: bool) -> list[ServerEvent]:
        now = time.monotonic()
        return [
            event for part in (self._exceptions, self._cache_items) for event in part.take(now, everything=everything)
        ]
