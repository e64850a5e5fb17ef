"""What a process does that helps to catch up. It imports no more than that takes: its memory counts.

It gets the portions of a source that it is to work on through a connection, and answers through it. It ends when the
other side does, however that ends.
"""

from __future__ import annotations

import gc
import signal
import sys
from collections.abc import Callable
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from consumers.forwarder.batch import Limits, Made
from consumers.forwarder.cutter import Cutter, shape
from consumers.forwarder.memory import give_back
from consumers.forwarder.rows import COLUMNS, Shaper
from consumers.forwarder.sources.portions import Portion
from infra.clickhouse.encoding import Encoder

READY = "ready"

Answer = Made | Exception


def work(portion: Portion, shaper: Shaper, limits: Limits, encoder: Encoder) -> Made:
    """What becomes of a portion, encoded."""
    cutter, first = Cutter(portion.partition, portion.after, limits), 0
    batches = []
    for delivery in portion.deliveries():
        first = first or delivery.position
        batches += cutter.add(shape(delivery, shaper))
    if cutter.open:
        batches.append(cutter.cut())
    for batch in batches:
        batch.encode(encoder)
    return Made(first, batches)


def serve(connection: Connection[Any, Any]) -> None:
    """First comes how to shape, which is answered when it can begin; then portions, each answered with an Answer."""
    make_shaper: Callable[[], Shaper]
    make_shaper, limits = connection.recv()
    give_back()
    shaper, encoder = make_shaper(), Encoder(COLUMNS)
    gc.freeze()
    gc.set_threshold(50_000)  # as often as it would run by itself, it takes a sixth of the time
    connection.send(READY)
    while True:
        _answer_one(connection, shaper, limits, encoder)


def _answer_one(connection: Connection[Any, Any], shaper: Shaper, limits: Limits, encoder: Encoder) -> None:
    """Nothing of it is kept while the next one is waited for."""
    answer: Answer
    try:
        answer = work(connection.recv(), shaper, limits, encoder)
    except Exception as error:
        answer = error
    connection.send(answer)


if __name__ == "__main__":
    # Signals to a whole group are the other side's business: it may still want what is being made here.
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    with suppress(EOFError, ConnectionError):
        serve(Connection(int(sys.argv[1])))
