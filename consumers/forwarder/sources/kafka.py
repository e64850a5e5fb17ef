"""Kafka as a source: the partitions of the relay's topics, shared by all forwarders of one sink.

They are a consumer group. Kafka keeps of each partition the acknowledged offset, and beside it what was announced: who
takes a partition over reads both. Announcing is a commit by a member of the group, so one that was thrown out of it,
and doesn't know yet, can't announce any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

import structlog
from kafka import TopicPartition

from consumers.forwarder.batch import Made
from consumers.forwarder.sources.delivery import Behind, Delivery, Span
from consumers.forwarder.sources.membership import Membership
from consumers.forwarder.sources.messages import KafkaPortion
from consumers.forwarder.sources.portions import Portion
from consumers.forwarder.sources.tenure import Committed, Note, Tenure, begin
from domain.errors import Unavailable
from infra.kafka.configuration import KafkaConfiguration
from infra.kafka.errors import TopicMadeAnew, typed_errors
from infra.kafka.topics import ensure_topics

log = structlog.get_logger(__name__)


class TakenAway(Unavailable):
    """The partition is read by another forwarder now."""


class NoPlace(Unavailable):
    """The partition is new, or Kafka has forgotten how far it was read. Where it begins is for who knows what the sink
    has: events may be in it that came by another partition already.
    """


class KafkaSource:
    """One member of the group of a sink, which has a place in every partition (skipping.py)."""

    def __init__(self, configuration: KafkaConfiguration, sink: str, head: Callable[[], int]) -> None:
        """`head`: the end of the log. Raises Unavailable or KafkaRefused."""
        self._head = head
        self._tenures: dict[TopicPartition, Tenure] = {}
        self._revoked: set[str] = set()
        self.paused = False
        ensure_topics(configuration)
        with typed_errors("starting to read"):
            self._member = Membership(configuration, sink, self._take_over)

    def poll(self, seconds: float) -> Iterator[Delivery]:
        for portion in self.take(seconds):
            yield from self.deliveries(portion)

    def take(self, seconds: float) -> Sequence[KafkaPortion]:
        if self._revoked:
            return ()  # first it has to be asked which ones: what comes now may be of a new tenure of the same
        with typed_errors("reading"):
            polled = self._member.poll(seconds)
        head = self._head() if polled else 0  # looked at second: whatever came was in the log before
        return [portion for key, batches in polled.items() for portion in self._tenures[key].take(batches, head)]

    def deliveries(self, portion: Portion) -> Iterator[Delivery]:
        assert isinstance(portion, KafkaPortion)
        tenure = self._taken_in(portion)
        return tenure.deliveries(portion) if tenure else iter(())

    def accept(self, portion: Portion, made: Made) -> bool:
        assert isinstance(portion, KafkaPortion)
        tenure = self._taken_in(portion)
        return tenure is not None and tenure.accept(portion, made)

    def unread(self) -> int | None:
        if not self._tenures:
            return None
        with typed_errors("looking how much there is"):
            return self._member.unread(list(self._tenures))

    def pause(self) -> None:
        self.paused = True
        self._member.pause()

    def resume(self) -> None:
        self.paused = False
        self._member.resume()

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
        """Roughly: of what was not delivered yet, marks of transactions and repeated events count, too."""
        waiting = sum(tenure.waiting for tenure in self._tenures.values())
        oldest = min((tenure.oldest for tenure in self._tenures.values() if tenure.oldest), default=None)
        seconds = 0.0 if oldest is None else max(0.0, (datetime.now(UTC) - oldest).total_seconds())
        return Behind((self.unread() or 0) + waiting, seconds)

    def close(self) -> None:
        with typed_errors("leaving"):
            self._member.leave()

    def _taken_in(self, portion: KafkaPortion) -> Tenure | None:
        """The tenure, if it has not ended."""
        tenure = self._tenures.get(_key(portion.partition))
        return tenure if tenure is not None and tenure.number == portion.tenure else None

    def _take_over(self) -> None:
        """Brings the tenures in line with what the group has given to this source. One that it had and still has goes
        on, if nobody has announced or acknowledged anything of it in between. Raises TopicMadeAnew for one of which
        Kafka keeps a place in a topic that is no more; NoPlace for one of which it keeps none.
        """
        assigned = self._member.assigned()
        for key in [key for key in self._tenures if key not in assigned]:
            self._revoked.add(self._tenures.pop(key).name)
        for key in sorted(assigned):
            committed, topic = self._member.committed(key), self._member.topic(key.topic)
            if committed is None:
                raise NoPlace(f"nobody has said yet from where {_name(key)} is to be read")
            if not committed.is_of(topic):
                raise TopicMadeAnew(key.topic)
            tenure = self._tenures.get(key)
            if tenure is not None and tenure.committed != committed:
                self._revoked.add(tenure.name)
                tenure = None
            if tenure is None:
                self._tenures[key] = tenure = begin(_name(key), committed, topic)
            self._member.read_from(key, tenure.read)
        # The library keeps of those that come back whether they were paused, as a commit does it in between.
        (self._member.pause if self.paused else self._member.resume)()
        log.info("partitions taken over", partitions=[_name(key) for key in sorted(assigned)])

    def _commit(self, key: TopicPartition, tenure: Tenure, offset: int, note: Note) -> None:
        committed = Committed(offset, note.text())
        if not self._member.commit(key, committed, lambda: self._tenures.get(key) is tenure):
            raise TakenAway(f"{tenure.name} is read by another forwarder now")
        tenure.committed = committed

    def _tenure(self, partition: str) -> tuple[TopicPartition, Tenure]:
        key = _key(partition)
        if key not in self._tenures:
            raise TakenAway(f"{partition} is read by another forwarder now")
        return key, self._tenures[key]


def _name(key: TopicPartition) -> str:
    return f"{key.topic}/{key.partition}"


def _key(partition: str) -> TopicPartition:
    topic, _, number = partition.rpartition("/")
    return TopicPartition(topic, int(number))
