"""Keeps a set of processes alive, and stops them in order."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Sequence

import structlog

from cli.serving.child import Child
from cli.signals import on_signals

LOOK_SECONDS = 0.1
KILL_SECONDS = 5.0
"""How long a killed process may take to be gone."""

log = structlog.get_logger()


class StopSignal:
    """SIGTERM, SIGINT and SIGHUP: the first asks for an orderly stop, the second for a hurried one."""

    def __init__(self) -> None:
        self._asked = threading.Event()
        self._hurried = threading.Event()
        on_signals((signal.SIGTERM, signal.SIGINT, signal.SIGHUP), self._take)

    @property
    def asked(self) -> bool:
        return self._asked.is_set()

    @property
    def hurried(self) -> bool:
        return self._hurried.is_set()

    def wait(self, seconds: float) -> bool:
        """True as soon as a stop is asked for."""
        return self._asked.wait(seconds)

    def _take(self) -> None:
        (self._hurried if self.asked else self._asked).set()


class Supervisor:
    """`children`: in the order in which they are stopped; each group stops together, before the next is asked to."""

    def __init__(self, children: Sequence[Sequence[Child]]) -> None:
        self._groups = children

    @property
    def children(self) -> list[Child]:
        return [child for group in self._groups for child in group]

    def start_urgent(self) -> None:
        """Who is not urgent is started by `keep_alive`: two processors are busy enough with those who are."""
        for child in self.children:
            if child.urgent:
                child.start()

    def tell(self, database_url: str) -> None:
        for child in self.children:
            child.tell(database_url)

    def pids(self) -> dict[str, int]:
        return {child.name: child.pid for child in self.children if child.pid is not None}

    def watch(self, stop: StopSignal, look: Callable[[], object], on_change: Callable[[], object]) -> None:
        """Until a stop is asked for: restarts who has ended (`on_change` after that) and calls `look` now and then."""
        while not stop.wait(LOOK_SECONDS):
            if self.keep_alive():
                on_change()
            look()

    def keep_alive(self, *, urgent_only: bool = False) -> bool:
        """Starts who does not run. True when somebody has just been started."""
        started = [child.keep_alive() for child in self.children if child.urgent or not urgent_only]
        return any(started)

    def stop(self, stop: StopSignal) -> None:
        """Returns when all have ended. Who does not end in its time is killed; when the stop is hurried, all are."""
        for group in self._groups:
            for child in group:
                child.ask_to_stop()
            deadline = time.monotonic() + max((child.stop_seconds for child in group), default=0.0)
            for child in group:
                self._wait(child, deadline, stop)

    def _wait(self, child: Child, deadline: float, stop: StopSignal) -> None:
        while not child.wait(LOOK_SECONDS):
            if stop.hurried:
                log.warning("stopping at once: who still runs is killed", processes=sorted(self.pids()))
                for running in self.children:
                    running.kill()
            elif time.monotonic() > deadline:
                log.warning(f"{child.name} did not stop within {child.stop_seconds:.0f} s and is killed")
                child.kill()
            else:
                continue
            child.wait(KILL_SECONDS)
            return
