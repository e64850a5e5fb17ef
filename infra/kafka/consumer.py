"""A consumer that is given batches of records whole.

The library takes them apart record by record: with that it would be busier than with all else. What it does with
batches stays its own: checksums, transactions that were aborted, offsets.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.consumer.fetcher import Fetcher
from kafka.record.default_records import DefaultRecord, DefaultRecordBatch
from kafka.record.memory_records import MemoryRecords

from infra.kafka.records import RecordBatch


class BatchConsumer(KafkaConsumer):  # type: ignore[misc]
    """`max_poll_records` is how many batches a poll gives at most."""

    def __init__(self, *topics: str, **configs: Any) -> None:
        super().__init__(*topics, **configs)
        self._fetcher.PartitionRecords = _Undivided

    @property
    def rejoins(self) -> bool:
        """Whether the group changes, and this member has not got its part yet."""
        return bool(self._coordinator.need_rejoin())

    def poll_batches(self, timeout_ms: int) -> dict[TopicPartition, list[RecordBatch]]:
        """In order within each partition. The first one may begin before what is to be read."""
        polled = self.poll(timeout_ms)
        return {key: [RecordBatch.of(record.value) for record in records] for key, records in polled.items()}


class _Undivided(Fetcher.PartitionRecords):  # type: ignore[misc]
    """What a fetch has given of a partition."""

    def _unpack_records(self, tp: TopicPartition, records: MemoryRecords, *_deserializers: None) -> Iterator[Any]:
        found: Iterator[Any] = super()._unpack_records(tp, _Batches(records), None, None)
        return found


class _Batches:
    def __init__(self, records: MemoryRecords) -> None:
        self._records = records

    def next_batch(self) -> _AsOneRecord | None:
        batch = self._records.next_batch()
        return None if batch is None else _AsOneRecord(batch)


class _AsOneRecord:
    """A batch that seems to hold one record, the last one, whose value is the batch."""

    def __init__(self, batch: DefaultRecordBatch) -> None:
        self._batch = batch

    def __getattr__(self, name: str) -> Any:
        return getattr(self._batch, name)

    def __next__(self) -> Any:
        """The mark that ends a transaction, where there is one."""
        return next(self._batch)

    def __iter__(self) -> Iterator[DefaultRecord]:
        batch, data = self._batch, bytes(self._batch._buffer)
        yield DefaultRecord(len(data), batch.last_offset, batch.max_timestamp, batch.timestamp_type, None, data, [])
