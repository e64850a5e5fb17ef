"""What a process does that helps to catch up. It imports no more than that takes: its memory counts.

It gets the rows of the log that it is to work on through a connection, and answers through it. It ends when the other
side does, however that ends.
"""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from consumers.forwarder.batch import Batch, Limits
from consumers.forwarder.cutter import Cutter, shape
from consumers.forwarder.rows import COLUMNS, Shaper
from consumers.forwarder.sources.deliveries import PARTITION, deliveries
from infra.clickhouse.encoding import Encoder
from infra.eventlog.decoding import Stored

READY = "ready"

Rows = Sequence[tuple[Any, ...]]
"""Of the log: the fields of Stored."""

Answer = list[Batch] | Exception


def work(rows: Rows, shaper: Shaper, limits: Limits, encoder: Encoder) -> list[Batch]:
    """What becomes of rows that follow on each other, encoded."""
    stored = list(map(Stored._make, rows))
    cutter = Cutter(PARTITION, stored[0].position - 1, limits)
    batches = [batch for delivery in deliveries(stored) for batch in cutter.add(shape(delivery, shaper))]
    batches.append(cutter.cut())
    for batch in batches:
        batch.encode(encoder)
    return batches


def serve(connection: Connection[Any, Any]) -> None:
    """First comes how to shape, which is answered when it can begin; then rows, each answered with an Answer."""
    make_shaper: Callable[[], Shaper]
    make_shaper, limits = connection.recv()
    shaper, encoder = make_shaper(), Encoder(COLUMNS)
    gc.freeze()
    gc.set_threshold(50_000)  # as often as it would run by itself, it takes a sixth of the time
    connection.send(READY)
    while True:
        rows: Rows = connection.recv()
        answer: Answer
        try:
            answer = work(rows, shaper, limits, encoder)
        except Exception as error:
            answer = error
        connection.send(answer)


if __name__ == "__main__":
    # Signals to a whole group are the other side's business: it may still want what is being made here.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    with suppress(EOFError, ConnectionError):
        serve(Connection(int(sys.argv[1])))
