"""Where to go on: what was acknowledged, what ClickHouse really holds, and what the log has, put together.

Runs at every start and after every failure. Why each event then is in ClickHouse exactly once:
- one forwarder at a time sends (a lock in PostgreSQL), and a batch is one insert, which ClickHouse takes whole or not
  at all;
- after a failure only one batch is uncertain, and its bounds are written down: it is sent again under its token;
- anything else that is found (rows deleted, a disk that lost its last second, a log that was restored) is put right
  from the log: what is not whole is deleted and sent anew.
"""

from __future__ import annotations

import structlog

from consumers.forwarder.batch import Batch, gather
from consumers.forwarder.checkpoint import Checkpoint
from consumers.forwarder.sink import ClickHouseSink
from consumers.forwarder.source import LogSource

log = structlog.get_logger(__name__)


def recover(source: LogSource, checkpoint: Checkpoint, sink: ClickHouseSink) -> int:
    """Brings ClickHouse to a whole prefix of the log and returns its last position."""
    progress = checkpoint.load()
    head = source.head()
    held = sink.inventory()
    whole = held.is_exactly(held.highest) and held.highest <= head
    if whole and held.highest == progress.acknowledged < progress.sent <= head:
        _send_again(source, checkpoint, sink)
        held = sink.inventory()
        whole = held.is_exactly(held.highest) and held.highest == progress.sent
    if not whole or not _plausible(held.highest, checkpoint):
        return _rewind(checkpoint, sink, min(sink.whole_until(held.highest), head), held.highest)
    if held.highest != progress.acknowledged:
        checkpoint.acknowledge(held.highest)
    return held.highest


def _plausible(highest: int, checkpoint: Checkpoint) -> bool:
    """All that was sent is there, or more: then it is the checkpoint that was lost, not the rows."""
    return highest >= checkpoint.progress.sent


def _send_again(source: LogSource, checkpoint: Checkpoint, sink: ClickHouseSink) -> None:
    progress = checkpoint.progress
    batch: Batch = gather(source.read(progress.acknowledged, progress.sent), progress.acknowledged)
    sink.insert(batch, progress.token(batch.after, batch.until))


def _rewind(checkpoint: Checkpoint, sink: ClickHouseSink, position: int, highest: int) -> int:
    log.warning(
        "ClickHouse does not hold what was sent: going back",
        acknowledged=checkpoint.progress.acknowledged,
        sent=checkpoint.progress.sent,
        highest=highest,
        whole_until=position,
    )
    if highest > position:
        sink.delete_after(position)
    checkpoint.rewind(position)
    return position
