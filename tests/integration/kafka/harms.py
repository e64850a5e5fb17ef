"""What can go wrong between the log and Kafka, and comes right again."""

from __future__ import annotations

import random
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import NamedTuple

from infra.kafka.configuration import KafkaConfiguration
from infra.postgres.database import Database
from tests.kafka.broker import Cluster

from .steps import relay_process

SILENCE = 5.0
"""Seconds: of a relay that hangs. One that waits for brokers that hang is as silent; it loses nothing by it."""

CUT = """
SELECT pg_terminate_backend(pid) FROM pg_locks
WHERE locktype = 'advisory' AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""


class Harm(NamedTuple):
    """`begin` does it and `end` undoes it, if there is something to undo; `longest`: seconds between them at most.
    `passable`: with it, events come through all the same.
    """

    name: str
    begin: Callable[[], object]
    end: Callable[[], object] = lambda: None
    longest: float = 0.0
    passable: bool = False


class Relays:
    """Two processes, of which one works and the other waits."""

    def __init__(self, log: Database, kafka: KafkaConfiguration) -> None:
        self._log, self._kafka = log, kafka
        self._stack = ExitStack()
        self._processes = [self._start(), self._start()]

    def kill(self) -> None:
        """The one at work, most likely: both are, and come back."""
        for process in self._processes:
            process.kill()
            process.wait()
        self._processes = [self._start(), self._start()]

    def hang(self) -> None:
        self._processes[0].send_signal(signal.SIGSTOP)

    def wake(self) -> None:
        self._processes[0].send_signal(signal.SIGCONT)
        self._processes.reverse()

    def cut(self) -> None:
        """PostgreSQL breaks the connection that holds the lock."""
        self._log.query(CUT)

    def close(self) -> None:
        self._stack.close()

    def assert_alive(self) -> None:
        assert [process.poll() for process in self._processes] == [None, None]

    def _start(self) -> subprocess.Popen[bytes]:
        return self._stack.enter_context(relay_process(self._log, self._kafka, SILENCE))


@contextmanager
def two_relays(log: Database, kafka: KafkaConfiguration) -> Iterator[Relays]:
    relays = Relays(log, kafka)
    try:
        yield relays
    finally:
        relays.close()


def any_harm(chance: random.Random, cluster: Cluster, relays: Relays) -> Harm:
    """One of them, with one of three brokers or with all."""
    one = chance.choice(cluster.brokers)
    return chance.choice(
        [
            Harm(f"broker {one.node} is killed", one.kill, one.start, 12.0, passable=True),
            Harm(f"broker {one.node} hangs", one.pause, one.resume, 40.0, passable=True),
            Harm("all brokers are killed", all_of(cluster, "kill"), all_of(cluster, "start"), 10.0),
            Harm("all brokers hang", all_of(cluster, "pause"), all_of(cluster, "resume"), 30.0),
            Harm("the relays are killed", relays.kill),
            Harm("a relay hangs", relays.hang, relays.wake, 20.0),
            Harm("PostgreSQL cuts a relay off", relays.cut, longest=1.0),
        ]
    )


def all_of(cluster: Cluster, what: str) -> Callable[[], None]:
    def act() -> None:
        for broker in cluster.brokers:
            getattr(broker, what)()

    return act


@contextmanager
def done(harm: Harm, seconds: float) -> Iterator[None]:
    """For at least so long."""
    since = time.monotonic()
    harm.begin()
    try:
        yield
        time.sleep(max(0.0, since + seconds - time.monotonic()))
    finally:
        harm.end()
