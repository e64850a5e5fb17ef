"""Where to go on: what was acknowledged, what ClickHouse really holds, and what the log has, put together.

Runs at every start and after every failure of a forwarder that reads the log itself. Why each event then is in
ClickHouse exactly once:
- one forwarder at a time sends (a lock in PostgreSQL), and a batch is one insert, which ClickHouse takes whole or not
  at all;
- after a failure only one batch is uncertain, and its bounds are written down: it is sent again under its token;
- anything else that is found (rows deleted, a disk that lost its last second, a log that was restored) is put right
  from the log: what is not whole is deleted and sent anew.
"""

from __future__ import annotations

from dataclasses import replace

import structlog
from psycopg import Connection
from psycopg.rows import DictRow

from consumers.forwarder import dead_letters
from consumers.forwarder.checkpoint import Checkpoint
from consumers.forwarder.proof import fingerprints
from consumers.forwarder.proof.inventory import EVERYTHING, Expected
from consumers.forwarder.sinks.clickhouse import ClickHouseSink
from infra.eventlog.reader import LogReader

LAST = 1_000
"""So many events before the end are compared one by one at each start: a log that was restored differs there."""

log = structlog.get_logger(__name__)


def recover(connection: Connection[DictRow], expected: Expected, checkpoint: Checkpoint, sink: ClickHouseSink) -> None:
    """Brings ClickHouse to a whole prefix of the log, and the checkpoint to its end. Of `expected` only what was
    acknowledged can have expired: all else is sent, however old, for the tables beside `events` keep their rows.
    """
    progress, head = checkpoint.load(), LogReader().head(connection)
    expected = _with_what_arrived(connection, expected, checkpoint.consumer, sink)
    expected = expected.excusing(0 if sink.is_empty() else progress.acknowledged)
    held = sink.inventory(expected.floor)
    highest = expected.reached(held.highest)
    # More than was announced, and that is remembered: the log was restored, and may go on with other events that look
    # alike.
    restored = highest > progress.sent > 0
    whole = not restored and held.is_exactly(expected.count(expected.floor, highest)) and highest <= head
    if whole and _different(connection, expected, sink, max(expected.floor, highest - LAST), highest) is None:
        if highest == progress.acknowledged and progress.sent <= head:
            return  # what was announced besides, if anything, has not arrived yet, and is sent again as it was cut
        if highest >= progress.sent:
            sink.complete(progress.acknowledged)  # an insert that was cut short may have reached `events` alone
            checkpoint.acknowledge(highest)  # all that was sent is there, or more: the checkpoint was lost, not rows
            return
    position = min(sink.whole_until(expected, highest), head, progress.acknowledged if restored else head)
    if (different := _different(connection, expected, sink, expected.floor, position)) is not None:
        position = different - 1
    _rewind(connection, checkpoint, sink, position, held.highest)


def _with_what_arrived(
    connection: Connection[DictRow], expected: Expected, consumer: str, sink: ClickHouseSink
) -> Expected:
    """Dead letters that were sent again by somebody who was killed before he had forgotten them."""
    arrived = sink.held(expected.dead)
    if arrived:
        dead_letters.forget(connection, consumer, map(str, arrived))
    return replace(expected, dead=[position for position in expected.dead if position not in arrived])


def _different(
    connection: Connection[DictRow], expected: Expected, sink: ClickHouseSink, after: int, until: int
) -> int | None:
    return fingerprints.first_different(connection, sink.client, sink.layout.database, expected, after, until)


def _rewind(
    connection: Connection[DictRow], checkpoint: Checkpoint, sink: ClickHouseSink, position: int, highest: int
) -> None:
    log.warning(
        "ClickHouse does not hold what was sent: going back",
        acknowledged=checkpoint.progress.acknowledged,
        sent=checkpoint.progress.sent,
        highest=highest,
        whole_until=position,
    )
    if highest > position:
        sink.delete(position)
    # Sent anew, they may be taken now; those that are not will be noted again.
    dead_letters.renew(connection, checkpoint.consumer, position, EVERYTHING)
    checkpoint.rewind(position)
