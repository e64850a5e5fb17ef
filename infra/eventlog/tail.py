"""The end of the log, read once for all readers of a process.

Each reader takes from it at its own pace. Who falls behind what is kept here reads pages from the database instead, and
slows nobody down.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from itertools import islice

import psycopg
import structlog

from domain.errors import Unavailable
from infra.eventlog.pages import LogPages
from infra.eventlog.published import EventFilter, Published

MAX_BYTES = 32 * 1024 * 1024
PAGE_EVENTS = 1_000
LOOK_SECONDS = 1.0
"""How long a notification may be missed."""

EVERYTHING = EventFilter()
log = structlog.get_logger(__name__)


class Tail:
    """Thread-safe. Reads only while there are readers."""

    def __init__(self, pages: LogPages, wake: Callable[[], object], max_bytes: int = MAX_BYTES) -> None:
        """`wake` is called whenever there is something new."""
        self._pages, self._wake, self._max_bytes = pages, wake, max_bytes
        self._lock = threading.Lock()
        self._moved = threading.Event()
        self._events: deque[Published] = deque()
        self._bytes = 0
        self._begin = self._end = 0
        self._readers = 0
        self._thread: threading.Thread | None = None

    def join(self, head: int) -> None:
        """One more reader. `head`: the present end of the log."""
        with self._lock:
            self._readers += 1
            if self._thread is None:
                self._begin = self._end = head
                self._thread = threading.Thread(target=self._run, name="log-tail", daemon=True)
                self._thread.start()

    def leave(self) -> None:
        with self._lock:
            self._readers -= 1
        self._moved.set()

    def moved(self) -> None:
        """The log has grown. From any thread."""
        self._moved.set()

    def after(self, position: int, limit: int) -> list[Published] | None:
        """The next events behind a position; None when they are not kept here any more, or not yet."""
        with self._lock:
            if not self._begin <= position <= self._end:
                return None
            # Positions have no gaps, so an event's place follows from its position.
            start = position - self._begin
            return list(islice(self._events, start, start + limit))

    def _run(self) -> None:
        while self._goes_on():
            self._moved.wait(LOOK_SECONDS)
            self._moved.clear()
            try:
                while self._read():
                    self._wake()
            except (Unavailable, psycopg.OperationalError) as error:
                log.warning("the end of the log can't be read yet", error=str(error))
            except Exception:  # readers get what they can from the database; this thread has to go on
                log.exception("the end of the log can't be read")

    def _goes_on(self) -> bool:
        with self._lock:
            if self._readers > 0:
                return True
            self._thread = None
            self._events.clear()
            self._bytes = 0
            return False

    def _read(self) -> bool:
        """False when there is nothing new."""
        events = self._pages.page(EVERYTHING, None, self._end, PAGE_EVENTS).events
        with self._lock:
            for event in events:
                self._events.append(event)
                self._bytes += len(event.data)
                self._end = event.position
            while self._bytes > self._max_bytes:
                self._begin = self._events[0].position
                self._bytes -= len(self._events.popleft().data)
        return bool(events)
