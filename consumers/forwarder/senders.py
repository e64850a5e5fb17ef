"""Who waits for a sink's answers: a thread for each connection to it."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from typing import NamedTuple

from consumers.forwarder.batch import Batch
from consumers.forwarder.dead_letters import DeadLetter
from consumers.forwarder.sinks.sink import Sink

LOOK_SECONDS = 0.05
"""Between two looks whether to wait any longer."""


class _Order(NamedTuple):
    batch: Batch
    token: str
    answer: Future[Sequence[DeadLetter]]


class Senders:
    """Unlike the threads of the standard library's pools these keep no process from ending: who reads our standard
    output may never do so again, and what did not arrive can be sent again.
    """

    def __init__(self, sinks: Sequence[Sink]) -> None:
        self._orders: queue.SimpleQueue[_Order | None] = queue.SimpleQueue()
        self._threads = [
            threading.Thread(target=self._serve, args=(sink,), name=f"send_{number}", daemon=True)
            for number, sink in enumerate(sinks)
        ]
        for thread in self._threads:
            thread.start()

    def send(self, batch: Batch, token: str) -> Future[Sequence[DeadLetter]]:
        """What the sink says, or fails with."""
        order = _Order(batch, token, Future())
        self._orders.put(order)
        return order.answer

    def end(self, given_up: Callable[[], bool]) -> None:
        """When everything is answered, or `given_up`: then something may arrive later."""
        for _ in self._threads:
            self._orders.put(None)
        for thread in self._threads:
            while thread.is_alive() and not given_up():
                thread.join(LOOK_SECONDS)

    def _serve(self, sink: Sink) -> None:
        while (order := self._orders.get()) is not None:
            try:
                order.answer.set_result(sink.insert(order.batch, order.token) if order.batch.row_count else ())
            except BaseException as error:  # also that the process shall end
                order.answer.set_exception(error)
            del order  # nothing of it is kept while the next one is waited for
