"""One process that the supervisor keeps alive."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypedDict

import structlog

from cli.serving.lifeline import Lifeline

FIRST_PAUSE = 0.1
LONGEST_PAUSE = 3.0
"""So that even who fails again and again, and then is mended, serves again within seconds."""

STEADY_SECONDS = 10.0
"""Whoever lived this long has recovered: its failures count from one again."""
FAILING = 3
"""So many ends in a row are called failing."""

log = structlog.get_logger()


class CommandLine(TypedDict):
    args: list[str]
    env: dict[str, str]


@dataclass
class Child:
    """`name`: of its log. `arguments`: those of the `annals` command. `stop_seconds`: how long it may take to finish
    what it has begun. `descriptors`: files that it inherits. `urgent`: whether the first answers need it. `on_end`: is
    told its name each time it has ended.
    """

    name: str
    arguments: Sequence[str]
    environment: Mapping[str, str]
    stop_seconds: float = 10.0
    descriptors: tuple[int, ...] = ()
    urgent: bool = True
    on_end: Callable[[str], object] | None = None
    failures: int = field(default=0, init=False)
    _process: subprocess.Popen[bytes] | None = field(default=None, init=False)
    _lifeline: Lifeline | None = field(default=None, init=False)
    _database_url: str | None = field(default=None, init=False)
    _started: float = field(default=0.0, init=False)
    _next_start: float = field(default=0.0, init=False)

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process else None

    def start(self) -> None:
        """To be called in the main thread: the kernel ties the child to the thread that started it."""
        self._lifeline = Lifeline()
        end = self._lifeline.child_end
        # A process group of its own: Ctrl-C in a terminal goes to the supervisor alone, which stops all in order.
        arguments = [*self.arguments, "--lifeline", str(end)]
        self._process = subprocess.Popen(
            **command(arguments, {**os.environ, **self.environment}),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=(*self.descriptors, end),
            process_group=0,
        )
        self._lifeline.close_child_end()
        self._started = time.monotonic()
        if self._database_url is not None:
            self._lifeline.tell(self._database_url)

    def tell(self, database_url: str) -> None:
        """The database is ready; also for the processes that will take this one's place."""
        self._database_url = database_url
        if self._lifeline is not None:
            self._lifeline.tell(database_url)

    def keep_alive(self) -> bool:
        """Notices when the process has ended, and starts it anew after a pause that grows with each failure.
        True when it has just been started again.
        """
        if self._process is not None and self._process.poll() is not None:
            self._plan_restart(self._process.returncode)
        if self._process is not None or time.monotonic() < self._next_start:
            return False
        self.start()
        return True

    def ask_to_stop(self) -> None:
        self._signal(signal.SIGTERM)

    def wait(self, timeout: float) -> bool:
        """True when it has ended within `timeout` seconds."""
        if self._process is None:
            return True
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            return False
        self._forget()
        return True

    def kill(self) -> None:
        self._signal(signal.SIGKILL)

    def _plan_restart(self, code: int) -> None:
        lived = time.monotonic() - self._started
        self.failures = 1 if lived > STEADY_SECONDS else self.failures + 1
        pause = min(LONGEST_PAUSE, FIRST_PAUSE * 2 ** (self.failures - 1))
        self._next_start = time.monotonic() + pause
        self._forget()
        say = log.error if self.failures >= FAILING else log.warning
        trouble = f"{self.name} keeps failing" if self.failures >= FAILING else f"{self.name} has ended"
        say(f"{trouble}: {why_ended(code)}", ends_in_a_row=self.failures, lived_s=round(lived, 1), next_start_s=pause)

    def _signal(self, number: int) -> None:
        if self._process is not None and self._process.poll() is None:
            self._process.send_signal(number)

    def _forget(self) -> None:
        if self._lifeline is not None:
            self._lifeline.close()
        self._process = self._lifeline = None
        if self.on_end is not None:
            self.on_end(self.name)


def command(arguments: Sequence[str], environment: Mapping[str, str]) -> CommandLine:
    """How `subprocess` starts an `annals` command with this very program, wherever that was started from."""
    # -P: a folder `api` or `domain` where the user stands must not be taken for ours.
    words = [sys.executable, "-P", "-m", "cli.main", *arguments]
    return {"args": words, "env": {**environment, "PYTHONPATH": _python_path()}}


def why_ended(code: int) -> str:
    """In words. `code` as `subprocess` gives it."""
    if code >= 0:
        return f"exit status {code}" + (", see its log" if code else "")
    name = signal.Signals(-code).name if -code in signal.valid_signals() else str(-code)
    hint = " (out of memory?)" if -code == signal.SIGKILL else ""
    return f"killed by {name}{hint}"


def _python_path() -> str:
    """Leads to the source tree, when it is not an installed package that runs."""
    here = str(Path(__file__).parents[1])
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    installed = here in (sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))
    return os.pathsep.join(path for path in ([] if installed else [here]) + given if path)
