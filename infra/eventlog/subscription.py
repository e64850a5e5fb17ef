"""Following the log: wake up when something was appended, read on from a position."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Sequence

import psycopg
from eventsourcing.persistence import ApplicationRecorder, ListenNotifySubscription

from domain.errors import Unavailable
from infra.postgres.database import Database

CHANNEL = "annals_log"
BEAT = 0.5
"""Seconds within which a stop is noticed and a broken connection is tried again."""


ANYTHING: frozenset[str] = frozenset()
"""In place of nouns: something may have been missed."""


def notice(streams: Iterable[str]) -> str:
    """What an append tells listeners: the nouns of its streams (`task,job`), so that each wakes for its own only."""
    return ",".join(sorted({stream.partition("-")[0] for stream in streams}))


class Listener:
    """Tells when the log has grown. Holds one connection while listening, and makes a new one when it breaks."""

    def __init__(self, database: Database, on_append: Callable[[frozenset[str]], object]) -> None:
        """`on_append(nouns)` is called after each append, and with ANYTHING after each (re)connection."""
        self._database = database
        self._on_append = on_append
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log-listener", daemon=True)

    def start(self) -> Listener:
        self._thread.start()
        return self

    def stop(self) -> None:
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._listen()
            except (psycopg.OperationalError, psycopg.InterfaceError):
                self._stopped.wait(BEAT)

    def _listen(self) -> None:
        with self._database.connect() as connection:
            connection.execute(f"LISTEN {CHANNEL}")
            self._on_append(ANYTHING)
            while not self._stopped.is_set():
                for message in connection.notifies(timeout=BEAT, stop_after=1):
                    self._on_append(frozenset(message.payload.split(",")))


class LogSubscription(ListenNotifySubscription[ApplicationRecorder]):
    """`eventsourcing`'s subscription, on our channel: an endless iterator of log rows."""

    def __init__(
        self, recorder: ApplicationRecorder, database: Database, gt: int | None, topics: Sequence[str]
    ) -> None:
        self._ended = threading.Event()  # before its thread starts
        super().__init__(recorder, gt, topics)
        self._listener = Listener(database, lambda _: self._has_been_notified.set()).start()

    def _pull(self) -> None:
        """As the library does; but a database that does not answer ends nothing. Its thread would end with the error,
        and the iterator with it. What could not be read is read when the database is there again.
        """
        while not self._has_been_stopped:
            try:
                super()._pull()
                return
            except Unavailable:
                self._ended.wait(BEAT)

    def stop(self) -> None:
        self._ended.set()
        super().stop()
        self._listener.stop()
