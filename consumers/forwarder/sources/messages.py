"""What was fetched from a partition of Kafka, as deliveries. An offset is that of the message behind, as committed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from consumers.forwarder.sources.delivery import Delivery, Unreadable
from infra.kafka.decoding import decode
from infra.kafka.records import Record, records


@dataclass(frozen=True)
class KafkaPortion:
    """Batches of records that follow on each other; messages up to `after` may be in them, too. `tenure`: the number of
    the one in which they were taken. `highest`: a position that was delivered before; `head`: the end of the log.
    """

    tenure: int
    partition: str
    after: int
    until: int
    highest: int
    head: int
    bound: bool
    batches: Sequence[bytes]

    def deliveries(self) -> Iterator[Delivery]:
        """Without events at or below the highest position that came before: the relay repeats what it is not sure of.
        What an unreadable message says of itself may be wrong, so it does not count for that. Nor does one that is of
        another log, for this one has not so many events.
        """
        highest = self.highest
        for batch in self.batches:
            for record in records(batch):
                if record.offset < self.after:
                    continue
                delivery = _delivery(self.partition, record, self.head)
                if 0 < delivery.position <= highest:
                    continue
                highest = max(highest, delivery.position)
                yield delivery


def _delivery(partition: str, record: Record, head: int) -> Delivery:
    offset = record.offset + 1
    try:
        event = decode(record.value or b"")
        if event.position > head:
            raise ValueError(f"position {event.position:,} is behind the end of the log, at {head:,}")
    except Exception as error:  # whatever is wrong with it, those behind it are to be read
        why = Unreadable(f"{type(error).__name__}: {error}", _stated_position(record))
        return Delivery(partition, offset, 0, datetime.fromtimestamp(record.timestamp / 1_000, UTC), why)
    return Delivery(partition, offset, event.position, event.meta.time, event)


def _stated_position(record: Record) -> int:
    stated = record.header("position") or b""
    return int(stated) if stated.isdigit() and len(stated) < 19 else 0
