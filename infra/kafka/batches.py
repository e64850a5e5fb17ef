"""Batches of records, in Kafka's record format (version 2), as a producer of kafka-python takes them.

The library encodes each record by itself, byte by byte, and makes a future for it: that was half of what the relay did.
Here a batch is gathered first and encoded in one go.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from functools import lru_cache

from kafka import TopicPartition
from kafka.producer.producer_batch import ProducerBatch
from kafka.record.memory_records import MemoryRecordsBuilder

from infra.kafka.messages import Header

BATCH_BYTES = 256 * 1024
MAGIC = 2
NO_TIME_AFTER_THE_FIRST = b"\0"
NO_ATTRIBUTES = b"\0"


def _varint(number: int) -> bytes:
    """As protobuf encodes a signed integer, which here never is negative."""
    zigzag, encoded = number << 1, bytearray()
    while zigzag > 0x7F:
        encoded.append(0x80 | zigzag & 0x7F)
        zigzag >>= 7
    encoded.append(zigzag)
    return bytes(encoded)


SMALL = tuple(_varint(number) for number in range(4096))


def varint(number: int) -> bytes:
    return SMALL[number] if number < len(SMALL) else _varint(number)


@dataclass
class Gathering:
    """Records of one partition, which will be one batch. `first`: the headers of the first one. `size`: the bytes of
    those `number` that are in it.
    """

    first: list[Header] = field(default_factory=list)
    number: int = 0
    size: int = 0
    _parts: list[bytes] = field(default_factory=list)

    def has_room(self, value: bytes) -> bool:
        """For one record, however large it is, there always is."""
        return not self.number or self.size + len(value) <= BATCH_BYTES

    def add(self, key: bytes, value: bytes, headers: list[Header]) -> None:
        parts = [
            NO_ATTRIBUTES, NO_TIME_AFTER_THE_FIRST, varint(self.number),
            varint(len(key)), key, varint(len(value)), value, SMALL[len(headers)],
        ]  # fmt: skip
        for name, text in headers:
            parts += (_header_name(name), varint(len(text)), text)
        record = b"".join(parts)
        self._parts += (varint(len(record)), record)
        self.number += 1
        self.size += len(record)

    def batch(self, partition: TopicPartition, compression: int) -> ProducerBatch:
        return ProducerBatch(partition, _Encoded(b"".join(self._parts), self.number, compression))


class _Encoded(MemoryRecordsBuilder):  # type: ignore[misc]
    """What the library fills record by record, filled at once."""

    def __init__(self, records: bytes, number: int, compression: int) -> None:
        super().__init__(MAGIC, compression, BATCH_BYTES)
        builder = self._builder
        builder._buffer += records
        builder._first_timestamp = builder._max_timestamp = int(time.time() * 1_000)
        builder._num_records = self._next_offset = number
        builder._last_offset = number - 1


@lru_cache(maxsize=64)
def _header_name(name: str) -> bytes:
    encoded = name.encode()
    return varint(len(encoded)) + encoded
