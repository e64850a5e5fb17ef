"""Producing in transactions: a run of messages is seen by readers whole and in order, or not at all."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from kafka import KafkaProducer, OffsetAndMetadata, TopicPartition
from kafka.errors import KafkaError, KafkaTimeoutError, MessageSizeTooLargeError, RecordListTooLargeError
from kafka.partitioner.default import murmur2
from kafka.producer.future import FutureProduceResult

from infra.kafka.batches import BATCH_BYTES, Gathering
from infra.kafka.configuration import KafkaConfiguration
from infra.kafka.errors import KafkaRefused, TooLarge, TopicMadeAnew, typed_errors
from infra.kafka.messages import LARGEST_VALUE, Header, Message
from infra.kafka.notes import Notes, notes_of

DELIVERY_MS = 10_000
BLOCK_MS = 10_000
RETRY_MS = 20
"""A transaction that follows closely has to wait until the one before is written everywhere: it asks so often."""

TRANSACTION_MS = 60_000
"""After which a broker gives up a transaction whose producer has gone: until then readers see nothing behind it."""

COMMIT_SECONDS = 12.0


class TransactionalProducer:
    """One producer of one name at a time: a new one fences off the one before, wherever that runs."""

    def __init__(self, configuration: KafkaConfiguration, name: str) -> None:
        """Raises Unavailable or KafkaRefused."""
        with typed_errors("starting to produce"):
            self._producer = _BoundedProducer(
                notes_of(configuration, name),
                **configuration.client(),
                transactional_id=f"{configuration.topic_prefix}{name}",
                transaction_timeout_ms=TRANSACTION_MS,
                delivery_timeout_ms=DELIVERY_MS,
                max_block_ms=BLOCK_MS,
                retry_backoff_ms=RETRY_MS,
                compression_type="lz4",
                batch_size=BATCH_BYTES,
                linger_ms=0,  # what is handed over has waited for more already
                max_request_size=LARGEST_VALUE + 1024 * 1024,
                allow_auto_create_topics=False,
                metrics_enabled=False,  # nobody reads them, and they cost speed
            )
            try:
                self._producer.init_transactions()
            except BaseException:
                self.close()
                raise

    def send(self, messages: Iterable[tuple[str, Message]], note: Callable[[], str] | None = None) -> int:
        """These messages, each to its topic, in one transaction; returns how many there were. There is none of it if
        there are none. What `note` says when all were taken is left beside them (notes.py). Raises Unavailable or
        KafkaRefused: then it is not known whether readers will see them. Raises TooLarge or TopicMadeAnew: then they
        will not. This producer is to be closed then. What `messages` raises passes through.
        """
        with typed_errors("producing"):
            try:
                return self._send(messages, note)
            except KafkaError as error:
                # Whatever comes after a failure fails as well, and only says so.
                self._producer.check_sizes()
                raise self._producer.first_error() or error from None

    def leave(self, note: str) -> None:
        """In a transaction without messages. Raises as `send` does."""
        with typed_errors("producing"):
            self._producer.begin_transaction()
            self._producer.leave(note)
            self._producer.commit_within(COMMIT_SECONDS)

    def _send(self, messages: Iterable[tuple[str, Message]], note: Callable[[], str] | None) -> int:
        producer, number = self._producer, 0
        counts: dict[str, int] = {}
        producer.check_identities()
        for topic, message in messages:
            if number == 0:
                producer.begin_transaction()
            if topic not in counts:
                counts[topic] = len(producer.partitions_for(topic))
            producer.put(TopicPartition(topic, _partition(message.key, counts[topic])), message)
            number += 1
        if number:
            if note is not None:
                producer.leave(note())
            producer.commit_within(COMMIT_SECONDS)
        return number

    def identities(self, topics: Iterable[str]) -> frozenset[str]:
        """What tells these topics from others, also from others of the same names: from now on `send` raises
        TopicMadeAnew instead of taking one for the other. Raises as `send` does.
        """
        with typed_errors("looking at the topics"):
            return frozenset(f"{topic}:{self._producer.identity(topic)}" for topic in topics)

    def close(self) -> None:
        """At once: a transaction that is open will be aborted by whoever comes next."""
        self._producer.abandon()


class _Sent(NamedTuple):
    """A batch that was handed over: how many messages, and the headers of the first."""

    result: FutureProduceResult
    number: int
    headers: list[Header]


class _BoundedProducer(KafkaProducer):  # type: ignore[misc]
    def __init__(self, notes: Notes, **configs: Any) -> None:
        super().__init__(**configs)
        self._notes = notes
        # The library splits what is too large and sends the parts, but never tells what became of the whole.
        self._sender._can_split = lambda *_: False
        self._gathered: dict[TopicPartition, Gathering] = {}
        self._sent: list[_Sent] = []
        self._identities: dict[str, UUID | None] = {}
        self._ends: defaultdict[TopicPartition, int] = defaultdict(int)

    def put(self, partition: TopicPartition, message: Message) -> None:
        gathering = self._gathered.get(partition)
        if gathering is not None and not gathering.has_room(message.value):
            self._hand_over(partition, gathering)
            gathering = None
        if gathering is None:
            self._transaction_manager.maybe_add_partition_to_transaction(partition)
            gathering = self._gathered[partition] = Gathering(message.headers)
        gathering.add(*message)

    def leave(self, note: str) -> None:
        """The library's own waits for ever for a broker that does not answer; the commit waits for it as well."""
        offsets = {self._notes.key: OffsetAndMetadata(0, note, -1)}
        self._transaction_manager.send_offsets_to_transaction(offsets, self._notes.group)

    def commit_within(self, seconds: float) -> None:
        """The library's `commit_transaction` waits for ever for a broker that does not answer. And it commits without
        what was not delivered in time, as if that had never been in the transaction.
        """
        deadline = time.monotonic() + seconds
        for partition, gathering in self._gathered.items():
            self._hand_over(partition, gathering)
        self._gathered = {}
        self.flush(seconds)
        for batch in self._sent:
            self._check_order(batch.result.topic_partition, _place(batch.result))
        self._sent = []
        result: Any = self._transaction_manager.begin_commit()
        self._sender.wakeup()
        if not result.wait(timeout_ms=max(0.0, deadline - time.monotonic()) * 1_000):
            raise KafkaTimeoutError(f"the transaction was not committed within {seconds:g} s")

    def identity(self, topic: str) -> UUID | None:
        """None with brokers older than Kafka 2.8. A topic that is made anew has another one."""
        self.partitions_for(topic)
        found: UUID | None = self._metadata.topic_id(topic)
        self._identities.setdefault(topic, found)
        return found

    def check_identities(self) -> None:
        """Raises TopicMadeAnew when a topic is not the one that this producer has met. Brokers don't mind: they take
        messages for whatever has the name.
        """
        for topic, met in self._identities.items():
            if self.identity(topic) != met:
                raise TopicMadeAnew(topic)

    def _check_order(self, partition: TopicPartition, offset: int) -> None:
        """Raises TopicMadeAnew when that lies before what was acknowledged earlier: before it is committed, and before
        anybody tells that the topic is another one.
        """
        if 0 <= offset < self._ends[partition]:
            raise TopicMadeAnew(partition.topic)
        self._ends[partition] = max(offset + 1, self._ends[partition])

    def check_sizes(self) -> None:
        """Raises TooLarge for a message that was refused for its size, and KafkaRefused when many together were."""
        for result, number, headers in self._sent:
            if isinstance(_failure(result), MessageSizeTooLargeError | RecordListTooLargeError):
                topic = result.topic_partition.topic
                if number > 1:
                    raise KafkaRefused(f"The topic {topic} takes too little at once: its max.message.bytes is too low")
                raise TooLarge(topic, int(dict(headers)["position"]))

    def first_error(self) -> Exception | None:
        """What has ended the transaction, if anything has."""
        error: Exception | None = self._transaction_manager.last_error
        return error

    def abandon(self) -> None:
        """The library's `close` waits, or gives up and leaves its thread running, when a broker does not answer."""
        self._unregister_cleanup()
        self._sender.force_close()
        self._closed = True

    def _hand_over(self, partition: TopicPartition, gathering: Gathering) -> None:
        """To the library's thread, which sends."""
        accumulator = self._accumulator
        batch = gathering.batch(partition, self.config["compression_attrs"])
        self._sent.append(_Sent(batch.produce_future, gathering.number, gathering.first))
        with accumulator._tp_lock(partition):
            accumulator._batches[partition].append(batch)
            accumulator._incomplete.add(batch)
        self._sender.wakeup()


def _place(batch: FutureProduceResult) -> int:
    """The offset of its first message; -1 if Kafka had it already and does not know any more where. Raises why it was
    not delivered, which the library tells only beside what it calls a success.
    """
    if not batch.is_done:
        raise KafkaTimeoutError(f"nobody has acknowledged what was sent to {batch.topic_partition}")
    if error := _failure(batch):
        raise error
    return int(batch.value[0])


def _failure(batch: FutureProduceResult) -> Exception | None:
    """None too for one of which nothing is known yet."""
    error_of = batch.value[2] if batch.is_done else None
    return error_of(0) if error_of else None


@lru_cache(maxsize=100_000)
def _partition(key: bytes, partitions: int) -> int:
    """As every Kafka client chooses it from a key. The library's own does not remember, and takes longer than all
    else that is done with a message.
    """
    return int(murmur2(key) & 0x7FFFFFFF) % partitions
