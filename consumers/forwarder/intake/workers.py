"""Processes that make what ClickHouse takes of what a source holds: most of the work of catching up, for which one of
Python's processes would have one core.

Not a pool of the standard library's: one of those waits for ever, at the latest when the program ends, for a process
that hangs, or was killed while it answered.
"""

from __future__ import annotations

import os
import queue
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from contextlib import suppress
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from typing import Any, NamedTuple

import structlog

from consumers.forwarder.batch import Limits, Made
from consumers.forwarder.rows import Shaper
from consumers.forwarder.sources.portions import Portion

IDLE_SECONDS = 30.0
"""Then they end, and their memory is free."""

START_SECONDS = 20.0
"""Starting them takes a second; longer than this, something is wrong."""

MENDED_SECONDS = 30.0
"""So long nobody tries again after they failed."""

COMMAND = (sys.executable, "-P", "-m", "consumers.forwarder.intake.worker")

log = structlog.get_logger(__name__)


class WorkerLost(Exception):
    """A process ended before it answered. `team`: those that were started with it."""

    def __init__(self, message: str, team: object) -> None:
        super().__init__(message)
        self.team = team


class Workers:
    """Started when they are asked for first. Used by one thread."""

    def __init__(
        self, number: int, make_shaper: Callable[[], Shaper], limits: Limits, arrived: Callable[[], int]
    ) -> None:
        """`number`: 0 for none. `make_shaper` is pickled, and called in each of them. `arrived`: how many events the
        sink has taken.
        """
        self.number = number
        self._given = (make_shaper, limits)
        self._team: _Team | None = None
        self._used = self._failed = float("-inf")
        self._arrived, self._had_arrived = arrived, 0
        self._stuck_since: float | None = None

    def ready(self) -> bool:
        """Whether something can be handed to them. Does not wait for them."""
        if self._is_stuck():
            return False
        self._used = time.monotonic()
        if self._team is None and self._used > self._failed + MENDED_SECONDS:
            self._start()
        if self._team is None:
            return False
        if not self._team.began and self._used > self._team.started + START_SECONDS:
            self.give_up(TimeoutError("they did not start"))
            return False
        return self._team.began

    def starting(self, seconds: float) -> bool:
        """Whether it is worth while to wait for them to be ready; waits for so long. What would be done in the second
        or so that this takes, would take memory for as long as the process lives.
        """
        if self._team is None:
            return False
        wait(self._team.begins, seconds)
        return True

    def shape(self, portion: Portion) -> Future[Made]:
        """The rows of its events, encoded. Only while they are `ready`. What goes wrong is in the future."""
        assert self._team is not None
        return self._team.hand_out(portion)

    def give_up(self, error: BaseException) -> None:
        """For a while: one of them was killed, say, or hangs. Nothing that they were doing will be done."""
        if self._team is not None and self._team is getattr(error, "team", self._team):
            log.warning("workers failed: going on without", error=f"{type(error).__name__}: {error}")
            self._failed = time.monotonic()
            self.close()

    def rest(self) -> None:
        """Ends them when they were not needed for a while, or nothing arrives that they make."""
        if time.monotonic() > self._used + IDLE_SECONDS or self._is_stuck():
            self.close()

    def note_failure(self) -> None:
        """The sink did not take something, or the source gave nothing."""
        self._is_stuck()
        if self._stuck_since is None:
            self._stuck_since = time.monotonic()
        self.rest()

    def close(self) -> None:
        """At once: whatever they are doing can be done again."""
        if self._team is not None:
            self._team.end()
            self._team = None

    def _is_stuck(self) -> bool:
        """Whether there were failures, and nothing else, for a while."""
        if (arrived := self._arrived()) != self._had_arrived:
            self._had_arrived, self._stuck_since = arrived, None
        return self._stuck_since is not None and time.monotonic() > self._stuck_since + IDLE_SECONDS

    def _start(self) -> None:
        team = _Team()
        try:
            for _ in range(self.number):
                team.add(self._given)
        except (OSError, RuntimeError) as error:  # no room for another process, or another thread
            team.end()
            self._failed = time.monotonic()
            log.warning("workers can't be started: going on without", error=str(error))
        else:
            self._team = team


class _Task(NamedTuple):
    portion: Portion
    made: Future[Made]


class _Team:
    """Processes that were started together, each with a thread that talks to it. `begins`: done when they can begin."""

    def __init__(self) -> None:
        self.started = time.monotonic()
        self.begins: list[Future[None]] = []
        self._processes: list[subprocess.Popen[bytes]] = []
        self._tasks: queue.SimpleQueue[_Task | None] = queue.SimpleQueue()
        self._ended = False

    @property
    def began(self) -> bool:
        """Also when one is lost: who hands something out is told then."""
        return all(begin.done() for begin in self.begins)

    def add(self, given: object) -> None:
        ours, theirs = Pipe()
        with theirs:
            process = subprocess.Popen(
                [*COMMAND, str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
                process_group=0,  # a terminal's Ctrl-C is not for them
            )
        self._processes.append(process)
        self.begins.append(Future())
        threading.Thread(target=self._talk, args=(ours, given, self.begins[-1]), daemon=True).start()

    def hand_out(self, portion: Portion) -> Future[Made]:
        made: Future[Made] = Future()
        self._tasks.put(_Task(portion, made))
        if self._ended:
            self._drop()
        return made

    def end(self) -> None:
        self._ended = True
        for process in self._processes:
            process.kill()
            process.wait()
        self._drop()

    def _talk(self, connection: Connection[Any, Any], given: object, begin: Future[None]) -> None:
        """One thread for each process. Whether that ends, hangs or is killed, reading from it does not go on."""
        try:
            with connection:
                connection.send(given)
                connection.recv()
                begin.set_result(None)
                while self._do_one(connection):
                    pass
        except Exception as error:
            if not begin.done():
                begin.set_exception(self._lost(error))
            self._ended = True
            self._drop()

    def _do_one(self, connection: Connection[Any, Any]) -> bool:
        """False when there is nothing to do any more. Nothing of it is kept while the next one is waited for."""
        if (task := self._tasks.get()) is None:
            return False
        try:
            connection.send(task.portion)
            answer = connection.recv()
        except Exception as error:
            task.made.set_exception(self._lost(error))
            raise
        if isinstance(answer, Exception):
            task.made.set_exception(answer)
        else:
            task.made.set_result(answer)
        return True

    def _lost(self, error: Exception) -> WorkerLost:
        return WorkerLost(f"{type(error).__name__}: {error}", self)

    def _drop(self) -> None:
        """What nobody will do; and the threads that wait for something to do end."""
        with suppress(queue.Empty):
            while True:
                if task := self._tasks.get_nowait():
                    task.made.set_exception(WorkerLost("it has ended before", self))
        for _ in self._processes:
            self._tasks.put(None)
