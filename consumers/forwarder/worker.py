"""What a process does that helps to catch up. It imports no more than that takes: its memory counts."""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from typing import Any

from consumers.forwarder.batch import Batch, Limits
from consumers.forwarder.cutter import Cutter, shape
from consumers.forwarder.rows import COLUMNS, Shaper
from consumers.forwarder.sources.deliveries import PARTITION, deliveries
from infra.clickhouse.encoding import Encoder
from infra.eventlog.decoding import Stored

_shaper: Shaper
_limits: Limits
_encoder: Encoder


def begin(make_shaper: Callable[[], Shaper], limits: Limits) -> None:
    global _shaper, _limits, _encoder
    _end_with_parent()
    gc.freeze()
    gc.set_threshold(50_000)  # as often as it would run by itself, it takes a sixth of the time
    _shaper, _limits, _encoder = make_shaper(), limits, Encoder(COLUMNS)


def work(rows: Sequence[tuple[Any, ...]]) -> list[Batch]:
    """What becomes of these rows of the log (the fields of Stored), which follow on each other, encoded."""
    stored = list(map(Stored._make, rows))
    cutter = Cutter(PARTITION, stored[0].position - 1, _limits)
    batches = [batch for delivery in deliveries(stored) for batch in cutter.add(shape(delivery, _shaper))]
    batches.append(cutter.cut())
    for batch in batches:
        batch.encode(_encoder)
    return batches


def _end_with_parent() -> None:
    """However it ends. Signals are the parent's business: it may still want what is being made here."""
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    parent = multiprocessing.parent_process()
    assert parent is not None

    def watch() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()
