"""Producing in transactions: a run of messages is seen by readers whole and in order, or not at all."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

from kafka import KafkaProducer, TopicPartition
from kafka.errors import KafkaTimeoutError
from kafka.partitioner.default import murmur2

from infra.kafka.configuration import KafkaConfiguration
from infra.kafka.errors import typed_errors
from infra.kafka.messages import LARGEST_VALUE, Header, Message

DELIVERY_MS = 10_000
TRANSACTION_MS = 60_000
"""After which a broker gives up a transaction whose producer has gone: until then readers see nothing behind it."""

COMMIT_SECONDS = 12.0
BATCH_BYTES = 256 * 1024
LINGER_MS = 100
"""A batch that is not full waits so long for more; the commit at the end of a run doesn't wait."""


class TransactionalProducer:
    """One producer of one name at a time: a new one fences off the one before, wherever that runs."""

    def __init__(self, configuration: KafkaConfiguration, name: str) -> None:
        """Raises Unavailable or KafkaRefused."""
        with typed_errors("starting to produce"):
            self._producer = _BoundedProducer(
                **configuration.client(),
                transactional_id=f"{configuration.topic_prefix}{name}",
                transaction_timeout_ms=TRANSACTION_MS,
                delivery_timeout_ms=DELIVERY_MS,
                max_block_ms=DELIVERY_MS,
                compression_type="lz4",
                batch_size=BATCH_BYTES,
                linger_ms=LINGER_MS,
                max_request_size=LARGEST_VALUE + 1024 * 1024,
                allow_auto_create_topics=False,
                metrics_enabled=False,  # nobody reads them, and they cost speed
            )
            try:
                self._producer.init_transactions()
            except BaseException:
                self.close()
                raise

    def send(self, messages: Iterable[tuple[str, Message]]) -> int:
        """These messages, each to its topic, in one transaction; returns how many there were. There is none of it if
        there are none. Raises Unavailable or KafkaRefused: then it is not known whether readers will see them, and this
        producer is to be closed. What `messages` raises passes through.
        """
        producer, number = self._producer, 0
        counts: dict[str, int] = {}
        with typed_errors("producing"):
            for topic, (key, value, headers) in messages:
                if number == 0:
                    producer.begin_transaction()
                if topic not in counts:
                    counts[topic] = len(producer.partitions_for(topic))
                producer.put(TopicPartition(topic, _partition(key, counts[topic])), key, value, headers)
                number += 1
            if number:
                producer.commit_within(COMMIT_SECONDS)
        return number

    def close(self) -> None:
        """At once: a transaction that is open will be aborted by whoever comes next."""
        self._producer.abandon()


class _BoundedProducer(KafkaProducer):  # type: ignore[misc]
    def put(self, partition: TopicPartition, key: bytes, value: bytes, headers: list[Header]) -> None:
        """The library's `send` without what it looks up and checks anew for each message: a third faster."""
        self._transaction_manager.maybe_add_partition_to_transaction(partition)
        _, is_full, is_new, _ = self._accumulator.append(partition, None, key, value, headers)
        if is_full or is_new:
            self._sender.wakeup()

    def commit_within(self, seconds: float) -> None:
        """The library's `commit_transaction` waits for ever for a broker that does not answer."""
        result: Any = self._transaction_manager.begin_commit()
        self._sender.wakeup()
        if not result.wait(timeout_ms=seconds * 1_000):
            raise KafkaTimeoutError(f"the transaction was not committed within {seconds:g} s")

    def abandon(self) -> None:
        """The library's `close` waits, or gives up and leaves its thread running, when a broker does not answer."""
        self._unregister_cleanup()
        self._sender.force_close()
        self._closed = True


@lru_cache(maxsize=100_000)
def _partition(key: bytes, partitions: int) -> int:
    """As every Kafka client chooses it from a key. The library's own does not remember, and takes longer than all
    else that is done with a message.
    """
    return int(murmur2(key) & 0x7FFFFFFF) % partitions
