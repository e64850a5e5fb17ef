"""How far the forwarders of a sink have come together, as Kafka knows it: whether they run or not."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack
from typing import NamedTuple

from kafka import TopicPartition

from consumers.forwarder.sources.skipping import ANSWER_MS, group, keys_of, place_in
from consumers.forwarder.sources.tenure import Committed, Note
from infra.kafka.configuration import KafkaConfiguration
from infra.kafka.errors import typed_errors
from infra.kafka.records import Record, RecordBatch, records

LOOK_SECONDS = 2.0
"""So long it looks at most, at a time, for the first event of each partition that was not acknowledged."""

POLL_MS = 200
FETCH_BYTES = 1024 * 1024
"""Of all partitions together, unless the first batch is larger: of each it is one event that is looked for."""

_Offsets = dict[TopicPartition, int]


class _Rest(NamedTuple):
    """What lies behind a committed offset. `read`: up to where nothing new was found; `position`: up to which all was
    acknowledged; `more`: whether something new is at `read`.
    """

    committed: Committed
    read: int
    position: int
    more: bool = False


class Reach:
    """Asks on a connection of its own, again and again. Everything raises Unavailable, KafkaRefused."""

    def __init__(self, configuration: KafkaConfiguration, sink: str) -> None:
        self._stack = ExitStack()
        with typed_errors("looking what was read"):
            self._consumer, self._keys = self._stack.enter_context(
                group(configuration, sink, isolation_level="read_committed", fetch_max_bytes=FETCH_BYTES)
            )
        self._topics = configuration.topics
        self._rests: dict[TopicPartition, _Rest] = {}

    def position(self, relayed: int, timeline: int = 0) -> int:
        """Everything up to it was acknowledged. `relayed`: up to where the log was in Kafka before this was called;
        `timeline`: the number of the log's.
        """
        with typed_errors("looking what was read"):
            self._consumer.topics()  # asks which they are now: some may have been made anew, or have more partitions
            self._keys = keys_of(self._consumer, self._topics)
            ends = self._consumer.end_offsets(self._keys, ANSWER_MS)
            self._rests = {key: self._rest(key, timeline) for key in self._keys}
            self._look([key for key, rest in self._rests.items() if rest.read < ends[key] and not rest.more], ends)
            self._consumer.unsubscribe()  # what it has fetched besides is not kept until the next time
        return min([relayed, *(rest.position for key, rest in self._rests.items() if rest.read < ends[key])])

    def close(self) -> None:
        self._stack.close()

    def _rest(self, key: TopicPartition, timeline: int) -> _Rest:
        """As it was found the last time, unless something was acknowledged since."""
        committed = place_in(self._consumer, key, timeline) or Committed(0, "")
        before = self._rests.get(key)
        if before is not None and before.committed == committed:
            return before
        return _Rest(committed, committed.offset, Note.read(committed.note).position if committed.note else 0)

    def _look(self, keys: Sequence[TopicPartition], ends: dict[TopicPartition, int]) -> None:
        """Finds the first new event of each. What ends a transaction, what was aborted and what was repeated lies there
        as well, and nobody acknowledges that.
        """
        if not keys:
            return
        first = self._consumer.beginning_offsets(keys, ANSWER_MS)
        self._consumer.assign(keys)
        for key in keys:
            self._consumer.seek(key, max(self._rests[key].read, first[key]))
            self._consumer.resume(key)
        waiting, deadline = set(keys), time.monotonic() + LOOK_SECONDS
        while waiting and time.monotonic() < deadline:
            for key, batches in self._consumer.poll_batches(POLL_MS).items():
                rest = self._rests[key]
                if key in waiting and (new := _first_new(batches, rest)) is not None:
                    self._rests[key] = rest._replace(read=new.offset, position=_position(new) - 1, more=True)
                    waiting.discard(key)
                    self._consumer.pause(key)
            for key in list(waiting):
                self._rests[key] = self._rests[key]._replace(read=self._consumer.position(key, ANSWER_MS))
                if self._rests[key].read >= ends[key]:
                    waiting.discard(key)


def _first_new(batches: Sequence[RecordBatch], rest: _Rest) -> Record | None:
    found = (record for batch in batches for record in records(batch.data) if record.offset >= rest.read)
    return next((record for record in found if _position(record) > rest.position), None)


def _position(record: Record) -> int:
    """0 for a message that is none of the relay's."""
    text = record.header("position") or b""
    return int(text) if text.isdigit() else 0
