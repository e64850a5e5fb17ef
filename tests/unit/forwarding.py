"""Deliveries and batches for the tests of the forwarder."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consumers.forwarder.batch import Batch, Limits
from consumers.forwarder.cutter import Cutter, shape
from consumers.forwarder.rows import table_rows
from consumers.forwarder.sources.delivery import Delivery
from domain.event import Event

PARTITION = "log"


def deliveries(events: Iterable[Event]) -> Iterator[Delivery]:
    for event in events:
        yield Delivery(PARTITION, event.position, event.position, event.meta.time, event)


def cut(events: Iterable[Event], limits: Limits, *, announced: int | None = None) -> list[Batch]:
    """The batches that these events of a log make."""
    cutter = Cutter(PARTITION, 0, limits, announced)
    batches = [batch for delivery in deliveries(events) for batch in cutter.add(shape(delivery, table_rows))]
    return [*batches, cutter.cut()] if cutter.open else batches
