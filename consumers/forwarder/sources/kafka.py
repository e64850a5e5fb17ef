"""Kafka as a source: the partitions of the relay's topics, shared by all forwarders of one sink.

They are a consumer group. Kafka keeps of each partition the acknowledged offset, and beside it what was announced: who
takes a partition over reads both. Announcing is a commit by a member of the group, so one that was thrown out of it,
and doesn't know yet, can't announce any more.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from functools import partial

import structlog
from kafka import ConsumerRebalanceListener, KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.consumer.fetcher import ConsumerRecord
from kafka.coordinator.assignors.range import RangePartitionAssignor
from kafka.errors import (
    CommitFailedError,
    IllegalGenerationError,
    NoOffsetForPartitionError,
    OffsetOutOfRangeError,
    RebalanceInProgressError,
    UnknownMemberIdError,
)

from consumers.forwarder.sources.source import Behind, Delivery, Span
from consumers.forwarder.sources.tenure import Committed, Note, Tenure, begin
from domain.errors import Unavailable
from infra.kafka.configuration import KafkaConfiguration
from infra.kafka.errors import typed_errors
from infra.kafka.topics import ensure_topics

SESSION_MS = 10_000
"""After so much silence a source is taken for dead, and its partitions are given to others."""

POLL_INTERVAL_MS = 30_000
"""The same for one that lives but doesn't poll; and how long others wait for it when the group changes."""

ANSWER_MS = 10_000
FETCH_BYTES = 8 * 1024 * 1024
PARTITION_FETCH_BYTES = 2 * 1024 * 1024
MAX_RECORDS = 2_000
STALL_SECONDS = 10.0
"""Between two looks whether every partition goes on. When a broker has died, kafka-python's consumer now and then does
not go on with all of them; a new consumer does.
"""

REJOIN_SECONDS = 20.0
REJOIN_BEAT = 0.1

GROUP_CHANGED = (RebalanceInProgressError, CommitFailedError, UnknownMemberIdError, IllegalGenerationError)

log = structlog.get_logger(__name__)


class TakenAway(Unavailable):
    """The partition is read by another forwarder now."""


class KafkaSource:
    """One member of the group of a sink."""

    def __init__(self, configuration: KafkaConfiguration, sink: str) -> None:
        """Makes the topics if they are missing. Raises Unavailable or KafkaRefused."""
        ensure_topics(configuration)
        with typed_errors("starting to read"):
            self._consumer = KafkaConsumer(
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
                max_poll_records=MAX_RECORDS,
                fetch_max_bytes=FETCH_BYTES,
                max_partition_fetch_bytes=PARTITION_FETCH_BYTES,
                allow_auto_create_topics=False,
                metrics_enabled=False,
            )
            self._changes = _Changes()
            self._subscribe(configuration.topics)
        self._tenures: dict[TopicPartition, Tenure] = {}
        self._revoked: set[str] = set()
        self._paused = False
        self._looked_at = time.monotonic()
        self._unread: dict[TopicPartition, int] = {}

    def poll(self, seconds: float) -> Iterable[Delivery]:
        if self._revoked:
            return ()  # first it has to be asked which ones: what comes now may be of a new tenure of the same
        with typed_errors("reading"):
            records = self._poll(seconds)
            if time.monotonic() > self._looked_at + STALL_SECONDS:
                self._look_for_stall()
        return self._deliveries(records)

    def pause(self) -> None:
        self._paused = True
        self._unread = {}
        self._consumer.pause(*self._consumer.assignment())

    def resume(self) -> None:
        self._paused = False
        self._consumer.resume(*self._consumer.assignment())

    def revoked(self) -> frozenset[str]:
        revoked, self._revoked = frozenset(self._revoked), set()
        return revoked

    def start(self, partition: str) -> int:
        return self._tenure(partition)[1].acknowledged

    def announced(self, partition: str) -> int | None:
        return self._tenure(partition)[1].note.until

    def announce(self, span: Span) -> str:
        """Raises TakenAway when the partition is somebody else's now."""
        key, tenure = self._tenure(span.partition)
        if tenure.acknowledged != span.after:
            raise TakenAway(f"{span.partition} was taken away and has come back: it is read again")
        note = tenure.announcing(span)
        with typed_errors("announcing"):
            self._commit(key, tenure, span.after, note)
        tenure.note = note
        return tenure.token(span)

    def acknowledge(self, span: Span) -> None:
        """Of a partition that is somebody else's by now, nothing: they send the run again, under the same token."""
        key = _key(span.partition)
        tenure = self._tenures.get(key)
        if tenure is None or tenure.acknowledged != span.after or tenure.note.until != span.until:
            log.info("not acknowledged: the partition was taken away", partition=span.partition, until=span.until)
            return
        note = tenure.acknowledging(span)
        try:
            with typed_errors("acknowledging"):
                self._commit(key, tenure, span.until, note)
        except TakenAway as error:
            log.info(f"not acknowledged: {error.message}", until=span.until)
        else:
            tenure.settle(span, note)

    def behind(self) -> Behind:
        """Roughly: of what was not read yet, marks of transactions and repeated events count, too."""
        with typed_errors("looking how much there is"):
            ends = self._consumer.end_offsets(list(self._tenures), ANSWER_MS) if self._tenures else {}
            unread = sum(max(0, end - (self._consumer.position(key, ANSWER_MS) or 0)) for key, end in ends.items())
        waiting = sum(tenure.waiting for tenure in self._tenures.values())
        oldest = min((tenure.oldest for tenure in self._tenures.values() if tenure.oldest), default=None)
        seconds = 0.0 if oldest is None else max(0.0, (datetime.now(UTC) - oldest).total_seconds())
        return Behind(unread + waiting, seconds)

    def close(self) -> None:
        """Leaves the group, so that others needn't wait until this one is taken for dead."""
        with typed_errors("leaving"):
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

    def _poll(self, seconds: float) -> dict[TopicPartition, list[ConsumerRecord]]:
        """What comes together with a change of the group is not taken, but read again from the right place."""
        try:
            records: dict[TopicPartition, list[ConsumerRecord]] = self._consumer.poll(int(seconds * 1_000))
        except NoOffsetForPartitionError:
            records = {}  # nobody has read them yet: taking over sets where to begin
        except OffsetOutOfRangeError as error:
            raise Unavailable(f"Kafka has thrown away what was not read yet, or lost it: {error}") from error
        if not self._changes.seen:
            return records
        self._take_over()
        self._changes.seen = False
        return {}

    def _look_for_stall(self) -> None:
        """Raises Unavailable when there was something to read at the last look, and it was not read since."""
        self._looked_at = time.monotonic()
        positions = {key: self._consumer.position(key, ANSWER_MS) for key in self._tenures}
        if stalled := [_name(key) for key, position in self._unread.items() if positions.get(key) == position]:
            raise Unavailable(f"Kafka's client has stopped reading {' and '.join(stalled)}")
        ends = self._consumer.end_offsets(list(self._tenures), ANSWER_MS) if self._tenures and not self._paused else {}
        self._unread = {key: positions[key] for key, end in ends.items() if positions[key] < end}

    def _deliveries(self, records: dict[TopicPartition, list[ConsumerRecord]]) -> Iterator[Delivery]:
        for key, run in records.items():
            tenure = self._tenures[key]
            for record in run:
                if delivery := tenure.deliver(record):
                    yield delivery

    def _take_over(self) -> None:
        """Brings the tenures in line with what the group has given to this source. One that it had and still has goes
        on, if nobody has announced or acknowledged anything of it in between.
        """
        assigned: set[TopicPartition] = self._consumer.assignment()
        for key in [key for key in self._tenures if key not in assigned]:
            self._revoked.add(self._tenures.pop(key).name)
        for key in sorted(assigned):
            committed = self._committed(key)
            tenure = self._tenures.get(key)
            if tenure is not None and tenure.committed != committed:
                self._revoked.add(tenure.name)
                tenure = None
            if tenure is None:
                self._tenures[key] = tenure = begin(_name(key), committed, partial(self._first_offset, key))
            self._consumer.seek(key, tenure.read)
        if self._paused:
            self.pause()
        log.info("partitions taken over", partitions=[_name(key) for key in sorted(assigned)])

    def _committed(self, key: TopicPartition) -> Committed | None:
        found = self._consumer.committed(key, metadata=True, timeout_ms=ANSWER_MS)
        return None if found is None else Committed(found.offset, found.metadata)

    def _first_offset(self, key: TopicPartition) -> int:
        return int(self._consumer.beginning_offsets([key], ANSWER_MS)[key])

    def _commit(self, key: TopicPartition, tenure: Tenure, offset: int, note: Note) -> None:
        """Also when the group is changing just now, if afterwards the partition still is this source's."""
        deadline = time.monotonic() + REJOIN_SECONDS
        while self._tenures.get(key) is tenure:
            try:
                self._consumer.commit({key: OffsetAndMetadata(offset, note.text(), -1)}, ANSWER_MS)
            except GROUP_CHANGED:
                self._rejoin(deadline)
            else:
                tenure.committed = Committed(offset, note.text())
                return
        raise TakenAway(f"{tenure.name} is read by another forwarder now")

    def _rejoin(self, deadline: float) -> None:
        """Polls, as the group demands, but takes nothing."""
        self._consumer.pause(*self._consumer.assignment())
        while not self._changes.seen:
            if time.monotonic() > deadline:
                raise Unavailable(f"Kafka's consumer group did not settle within {REJOIN_SECONDS:g} s")
            self._consumer.poll(int(REJOIN_BEAT * 1_000))
        self._take_over()
        self._changes.seen = False

    def _tenure(self, partition: str) -> tuple[TopicPartition, Tenure]:
        key = _key(partition)
        if key not in self._tenures:
            raise TakenAway(f"{partition} is read by another forwarder now")
        return key, self._tenures[key]


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


def _name(key: TopicPartition) -> str:
    return f"{key.topic}/{key.partition}"


def _key(partition: str) -> TopicPartition:
    topic, _, number = partition.rpartition("/")
    return TopicPartition(topic, int(number))
