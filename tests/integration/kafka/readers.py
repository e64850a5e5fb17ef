"""Small forwarders: they read a source, cut runs, and send them to a sink that takes each token once."""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field

from consumers.forwarder.sources.delivery import Delivery, Span
from consumers.forwarder.sources.kafka import KafkaSource
from domain.errors import Unavailable
from infra.kafka.configuration import KafkaConfiguration

from ...waiting import SECONDS

BEAT = 0.05


@dataclass
class Ledger:
    """What a sink was sent: token → positions. Anything sent again under a token has to be the same."""

    runs: dict[str, list[int]] = field(default_factory=dict)
    sent_again: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def insert(self, token: str, positions: list[int]) -> None:
        with self._lock:
            if token in self.runs:
                self.sent_again += 1
                assert self.runs[token] == positions, f"{token} is sent again with another content"
            self.runs[token] = positions

    @property
    def positions(self) -> list[int]:
        """All of them, sorted: one that was sent twice stands here twice."""
        with self._lock:
            return sorted(position for run in self.runs.values() for position in run)


@dataclass
class Reader:
    """What a pipeline does, one run at a time. `crash` is called between sending and acknowledging."""

    source: KafkaSource
    ledger: Ledger
    longest: int = 50
    crash: Callable[[], object] = lambda: None
    _open: dict[str, list[Delivery]] = field(default_factory=dict)

    def step(self) -> int:
        """Reads what comes, and sends what was read before."""
        deliveries = list(self.source.poll(BEAT))
        for delivery in deliveries:
            self._open.setdefault(delivery.partition, []).append(delivery)
        for partition in self.source.revoked():
            self._open.pop(partition, None)
        for partition in list(self._open):
            while run := self._cut(partition):
                self._send(partition, run)
        return len(deliveries)

    def _cut(self, partition: str) -> list[Delivery]:
        waiting, announced = self._open[partition], self.source.announced(partition)
        if announced is None:
            run = waiting[: random.randint(1, self.longest)]
        elif waiting and waiting[-1].offset >= announced:
            run = [delivery for delivery in waiting if delivery.offset <= announced]
        else:
            run = []
        self._open[partition] = waiting[len(run) :]
        return run

    def _send(self, partition: str, run: list[Delivery]) -> None:
        span = Span(partition, self.source.start(partition), run[-1].offset)
        token = self.source.announce(span)
        self.ledger.insert(token, [delivery.position for delivery in run])
        self.crash()
        self.source.acknowledge(span)


def endless() -> int:
    """The end of a log at which nobody looks."""
    return 2**63 - 1


def read_all(kafka: KafkaConfiguration, ledger: Ledger, done: Callable[[], object], sink: str = "test") -> None:
    """One reader, until that is so."""
    with closing(KafkaSource(kafka, sink, endless)) as source:
        reader = Reader(source, ledger)
        while not done():
            reader.step()


@contextmanager
def reading(
    kafka: KafkaConfiguration, ledger: Ledger, crash: Callable[[], object] = lambda: None, longest: int = 50
) -> Iterator[None]:
    """A reader in a thread, which begins anew after every failure, as a forwarder does."""
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            try:
                with closing(KafkaSource(kafka, "test", endless)) as source:
                    reader = Reader(source, ledger, longest, crash)
                    while not stop.is_set():
                        reader.step()
            except Unavailable:
                continue

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(SECONDS)
        assert not thread.is_alive()
