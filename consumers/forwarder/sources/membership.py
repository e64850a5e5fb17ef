"""Membership of a sink's consumer group: which partitions it gives, what is read of them and committed."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from kafka import ConsumerRebalanceListener, OffsetAndMetadata, TopicPartition
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.errors import (
    CommitFailedError,
    IllegalGenerationError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)

from consumers.forwarder.sources.tenure import Committed
from domain.errors import Unavailable
from infra.kafka.configuration import KafkaConfiguration
from infra.kafka.consumer import BatchConsumer
from infra.kafka.errors import TopicMadeAnew
from infra.kafka.records import RecordBatch
from infra.kafka.topics import identity

SESSION_MS = 10_000
"""After so much silence a member is taken for dead, and its partitions are given to others."""

POLL_INTERVAL_MS = 30_000
"""The same for one that lives but doesn't poll; and how long others wait for it when the group changes."""

ANSWER_MS = 10_000
FETCH_BYTES = 4 * 1024 * 1024
PARTITION_FETCH_BYTES = 1024 * 1024
FETCH_WAIT_MS = 40
"""So long a broker waits for something new before it answers. Now and then it doesn't notice the end of a transaction
before that.
"""

MAX_BATCHES = 8
"""Of records, that a poll gives at most. One has a quarter of a megabyte, unpacked, or a single event."""

REJOIN_SECONDS = 20.0
REJOIN_BEAT = 0.1

GROUP_CHANGED = (RebalanceInProgressError, CommitFailedError, UnknownMemberIdError, IllegalGenerationError)

Batches = dict[TopicPartition, list[RecordBatch]]


class MorePartitions(Unavailable):
    """The group may not share them among its members as long as these only go on."""


class Membership:
    """One member. `take_over` is called whenever partitions were given, before anything of them is read."""

    def __init__(self, configuration: KafkaConfiguration, sink: str, take_over: Callable[[], None]) -> None:
        self._take_over = take_over
        self._changes = _Changes()
        self._consumer = BatchConsumer(
            **configuration.client(),
            group_id=group_of(sink),
            enable_auto_commit=False,
            isolation_level="read_committed",
            # What is no longer there, though nobody has read it, is an error and not skipped.
            auto_offset_reset="none",
            partition_assignment_strategy=[RangePartitionAssignor],
            session_timeout_ms=SESSION_MS,
            heartbeat_interval_ms=SESSION_MS // 5,
            max_poll_interval_ms=POLL_INTERVAL_MS,
            max_poll_records=MAX_BATCHES,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            fetch_max_bytes=FETCH_BYTES,
            max_partition_fetch_bytes=PARTITION_FETCH_BYTES,
            allow_auto_create_topics=False,
            metrics_enabled=False,
        )
        self._subscribe(configuration.topics)
        self._topics = {topic: self.topic(topic) for topic in configuration.topics}
        self._partitions = {topic: self._consumer.partitions_for_topic(topic) for topic in configuration.topics}

    def poll(self, seconds: float) -> Batches:
        """What comes together with a change of the group is not taken, but read again from the right place. Waits for
        a change in any case: who looks only for moments never gets through with it, and nor do the others. Raises
        TopicMadeAnew, which brokers don't tell: they give what lies in the new one at the offset of the old one; and
        MorePartitions.
        """
        if self._consumer.rejoins:
            seconds = max(seconds, REJOIN_BEAT)
        try:
            batches: Batches = self._consumer.poll_batches(int(seconds * 1_000))
        except NoOffsetForPartitionError:
            batches = {}  # nobody has read them yet: taking over sets where to begin
        except OffsetOutOfRangeError as error:
            raise Unavailable(f"Kafka has thrown away what was not read yet, or lost it: {error}") from error
        self._check_topics()
        return {} if self._settle() else batches

    def topic(self, name: str) -> str:
        """Its identity."""
        return identity(self._consumer, name)

    def assigned(self) -> set[TopicPartition]:
        assigned: set[TopicPartition] = self._consumer.assignment()
        return assigned

    def pause(self) -> None:
        self._consumer.pause(*self._consumer.assignment())

    def resume(self) -> None:
        self._consumer.resume(*self._consumer.assignment())

    def read_from(self, key: TopicPartition, offset: int) -> None:
        self._consumer.seek(key, offset)

    def committed(self, key: TopicPartition) -> Committed | None:
        found = self._consumer.committed(key, metadata=True, timeout_ms=ANSWER_MS)
        return None if found is None else Committed(found.offset, found.metadata)

    def unread(self, keys: Sequence[TopicPartition]) -> int:
        """How many offsets lie behind those that were read. Brokers tell with what they give; only of partitions of
        which they give nothing now they are asked, for an answer comes after one that waits for something new.
        """
        paused = self._consumer.paused()
        told = {key: None if key in paused else self._consumer.highwater(key) for key in keys}
        ends: dict[TopicPartition, int] = {key: end for key, end in told.items() if end is not None}
        if asked := [key for key in keys if key not in ends]:
            ends |= self._consumer.end_offsets(asked, ANSWER_MS)
        return sum(max(0, end - (self._consumer.position(key, ANSWER_MS) or 0)) for key, end in ends.items())

    def commit(self, key: TopicPartition, committed: Committed, still: Callable[[], bool]) -> bool:
        """Also when the group is changing just now. False when afterwards it is not `still` so."""
        deadline = time.monotonic() + REJOIN_SECONDS
        while still():
            try:
                self._consumer.commit({key: OffsetAndMetadata(committed.offset, committed.note, -1)}, ANSWER_MS)
            except GROUP_CHANGED:
                self._rejoin(deadline)
            else:
                return True
        return False

    def leave(self) -> None:
        """So that others needn't wait until this one is taken for dead."""
        self._consumer.close(autocommit=False, timeout_ms=SESSION_MS // 2)

    def _subscribe(self, topics: Sequence[str]) -> None:
        """And waits until it is known which partitions there are: the library's members of a group that join it
        without knowing may share nothing among themselves, and leave it at that.
        """
        self._consumer.subscribe(topics, listener=self._changes)
        deadline = time.monotonic() + ANSWER_MS / 1_000
        while not all(self._consumer.partitions_for_topic(topic) for topic in topics):
            if time.monotonic() > deadline:
                raise Unavailable(f"Kafka does not tell the partitions of {' and '.join(topics)}")

    def _check_topics(self) -> None:
        for name, met in self._topics.items():
            if met and self.topic(name) not in (met, ""):
                raise TopicMadeAnew(name)
        for name, known in self._partitions.items():
            if (self._consumer.partitions_for_topic(name) or known) != known:
                raise MorePartitions(f"Kafka's topic {name} has more partitions than before")

    def _settle(self) -> bool:
        """Whether the group has changed. Then its partitions are taken over."""
        if not self._changes.seen:
            return False
        self._take_over()
        self._changes.seen = False
        return True

    def _rejoin(self, deadline: float) -> None:
        """Polls, as the group demands, but takes nothing."""
        self.pause()
        while not self._settle():
            if time.monotonic() > deadline:
                raise Unavailable(f"Kafka's consumer group did not settle within {REJOIN_SECONDS:g} s")
            self._consumer.poll(int(REJOIN_BEAT * 1_000))


class _Changes(ConsumerRebalanceListener):  # type: ignore[misc]
    """Notices, on the consumer's own thread, that partitions were given."""

    def __init__(self) -> None:
        self.seen = False

    def on_partitions_assigned(self, assigned: set[TopicPartition]) -> None:  # noqa: ARG002 - asked for later
        self.seen = True

    def on_partitions_revoked(self, revoked: set[TopicPartition]) -> None:
        """Nothing yet: most of them come back at once."""


def group_of(sink: str) -> str:
    """The consumer group of a sink's forwarders."""
    return f"annals-forwarder-{sink}"
