"""Processes that append to the log beside a test, and what it needs to watch them."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from cli.bootstrap import System
from domain.event import SYSTEM, Context
from domain.events.data import UploadStarted
from infra.eventlog.reader import LogReader
from infra.eventlog.subscription import Listener

REPOSITORY = Path(__file__).parents[2]
WAIT_SECONDS = 60.0

WRITER = """
import os, sys, threading, time
from cli.bootstrap import connect
from domain.event import SYSTEM, Context
from domain.events.data import UploadStarted

url, name, threads, seconds, size = sys.argv[1], sys.argv[2], *map(int, sys.argv[3:])
system = connect(url)
system.app.record(Context(SYSTEM, correlation_id=f"{name} is ready"), [UploadStarted(1)])
end = time.monotonic() + seconds

def write(thread):
    number = 0
    while time.monotonic() < end or number < 10:  # however slow the machine is
        save = f"{name}-{thread}-{number}"
        bodies = [UploadStarted(task_id) for task_id in range(1, size + 1)]
        system.app.record(Context(SYSTEM, correlation_id=save), bodies)
        os.write(1, f"{save}\\n".encode())
        number += 1

workers = [threading.Thread(target=write, args=(number,)) for number in range(threads)]
for worker in workers: worker.start()
for worker in workers: worker.join()
system.close()
"""


class Writer:
    """A process that saves `size` events at a time, from several threads, for so many seconds and ten times at least,
    and prints each save once it is durable.
    """

    def __init__(self, url: str, name: str, *, threads: int = 4, seconds: int = 1, size: int = 1) -> None:
        self.size = size
        arguments = [url, name, *map(str, (threads, seconds, size))]
        self.process = subprocess.Popen(
            [sys.executable, "-c", WRITER, *arguments], cwd=REPOSITORY, stdout=subprocess.PIPE, text=True
        )

    def first_acknowledged(self, count: int) -> list[str]:
        """Waits for so many saves."""
        assert self.process.stdout is not None
        return [self.process.stdout.readline().strip() for _ in range(count)]

    def acknowledged(self) -> list[str]:
        """The rest of the saves that were acknowledged until the process ended."""
        assert self.process.stdout is not None
        return self.process.stdout.read().split()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(WAIT_SECONDS)


class Follower:
    """Reads the log whenever it has grown, on a thread of its own, and keeps the positions in the order seen."""

    def __init__(self, system: System) -> None:
        self.positions: list[int] = []
        self._system = system
        self._grown = threading.Event()
        self._stopped = threading.Event()
        self._listener = Listener(system.database, lambda _: self._grown.set())
        self._thread = threading.Thread(target=self._follow)

    @contextmanager
    def following(self) -> Iterator[Follower]:
        self._listener.start()
        self._thread.start()
        try:
            yield self
        finally:
            self._stopped.set()
            self._grown.set()
            self._listener.stop()
            self._thread.join(WAIT_SECONDS)

    def _follow(self) -> None:
        reader = LogReader()
        with self._system.database.connect() as connection:
            while not self._stopped.is_set():
                self._grown.wait()
                self._grown.clear()
                after = self.positions[-1] if self.positions else 0
                for events in reader.read(connection, after, 2**62):
                    self.positions += [event.position for event in events]


def until(happened: Callable[[], object], seconds: float = WAIT_SECONDS) -> None:
    """Waits for something to become true."""
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end, "it did not happen"
        time.sleep(0.005)


def append(system: System, save: str | None = None, *task_ids: int) -> list[int]:
    """Saves an event per task; returns the positions."""
    context = Context(SYSTEM, correlation_id=save)
    events = system.app.record(context, [UploadStarted(task_id) for task_id in task_ids or (1,)])
    return [event.position for event in events]


def head(system: System) -> int:
    return system.app.recorder.max_notification_id() or 0


def positions(system: System) -> list[int]:
    return [row["position"] for row in system.database.query("SELECT position FROM log.events ORDER BY position")]


def saves(system: System) -> dict[str, int]:
    """How many events of each save there are."""
    rows = system.database.query("SELECT correlation_id AS save, count(*) FROM log.events GROUP BY correlation_id")
    return {row["save"]: row["count"] for row in rows}


def waiting_for_the_append_lock(system: System) -> list[int]:
    """The PostgreSQL processes that do."""
    rows = system.database.query(
        "SELECT l.pid FROM pg_locks l JOIN pg_database d ON d.oid = l.database"
        " WHERE d.datname = current_database() AND l.locktype = 'advisory' AND NOT l.granted"
    )
    return [row["pid"] for row in rows]
