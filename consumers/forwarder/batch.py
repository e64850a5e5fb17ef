"""Batches: whole events, ready for a sink."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from operator import itemgetter
from typing import NamedTuple

from consumers.forwarder.dead_letters import DeadLetter
from consumers.forwarder.rows import COLUMNS, TableRow
from consumers.forwarder.sources.delivery import Span
from infra.clickhouse.encoding import Encoded, Encoder

Month = tuple[int, int]
OVERHEAD = 600
"""Bytes of memory that a row takes beside its payload, roughly."""

LETTER = 600
"""Bytes of memory that a dead letter takes beside its reason, roughly."""

PAYLOAD, TIMESTAMP = (list(COLUMNS).index(name) for name in ("payload", "timestamp"))
payload_of = itemgetter(PAYLOAD)


@dataclass(frozen=True)
class Limits:
    """When a batch is full. It may go beyond by what came last: an event is never cut, nor is a run that was encoded.
    `bytes`: of rows and dead letters; `events`: with rows or without, for of each something is kept. `seconds`: between
    two batches of a partition that are not full; an event that comes alone does not wait.
    """

    rows: int = 60_000
    bytes: int = 24 * 1024 * 1024
    seconds: float = 0.1
    events: int = 100_000


@dataclass
class Batch:
    """The rows of a run of a partition. All of one month, so that they make one part, which ClickHouse takes whole or
    not at all; `month` is None while there are no rows. `first_time`: when the first event was recorded; `position`:
    the highest that is known for sure.

    The rows are either in `rows`, or `encoded` for ClickHouse already; `bytes` are theirs, unpacked.
    """

    span: Span
    first_time: datetime
    month: Month | None = None
    position: int = 0
    rows: list[TableRow] = field(default_factory=list)
    encoded: Encoded | None = None
    events: int = 0
    bytes: int = 0
    dead: list[DeadLetter] = field(default_factory=list)
    dead_bytes: int = 0

    @property
    def row_count(self) -> int:
        return self.encoded.rows if self.encoded else len(self.rows)

    @property
    def memory(self) -> int:
        """Bytes that this takes."""
        return (self.encoded.packed_bytes if self.encoded else self.bytes) + self.dead_bytes

    @property
    def size(self) -> int:
        """The same, unpacked."""
        return self.bytes + self.dead_bytes

    def bury(self, letter: DeadLetter) -> None:
        self.dead.append(letter)
        self.dead_bytes += LETTER + len(letter.error)

    def encode(self, encoder: Encoder) -> None:
        """Raises ClickHouseRefused."""
        if self.rows:
            self.encoded = encoder.encode(self.rows)
            self.rows, self.bytes = [], self.encoded.bytes

    def extend(self, other: Batch) -> None:
        """By the run behind it: of the same month and as encoded as this one, or without rows."""
        self.span = Span(self.span.partition, self.span.after, other.span.until)
        self.month = self.month or other.month
        self.position = max(self.position, other.position)
        self.rows += other.rows
        if self.encoded and other.encoded:
            self.encoded.extend(other.encoded)
        else:
            self.encoded = self.encoded or other.encoded
        self.events += other.events
        self.bytes += other.bytes
        self.dead += other.dead
        self.dead_bytes += other.dead_bytes


class Made(NamedTuple):
    """What became of a portion of a source in another process. `first`: the position of the first event in it that has
    one; 0 for none.
    """

    first: int
    batches: list[Batch]
