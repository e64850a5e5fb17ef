"""The place that Kafka keeps for the forwarders of a sink, seen and moved while none of them is running."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

from kafka import KafkaAdminClient, KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.errors import GroupIdNotFoundError

from consumers.forwarder.sources.membership import group_of
from consumers.forwarder.sources.tenure import Committed, Note
from domain.errors import Unavailable
from infra.kafka.configuration import KafkaConfiguration
from infra.kafka.errors import KafkaRefused, typed_errors
from infra.kafka.topics import ensure_topics, identity

ANSWER_MS = 10_000


def is_known(configuration: KafkaConfiguration, sink: str) -> bool:
    """Whether Kafka knows how far the sink's forwarders have read each partition. Not when they never did, or were away
    for so long that it has forgotten them; nor when a topic was made anew since. Raises Unavailable or KafkaRefused.
    """
    with typed_errors("looking what was read"), group(configuration, sink) as (consumer, keys):
        return all(place_in(consumer, key) is not None for key in keys)


def farthest(configuration: KafkaConfiguration, sink: str) -> int:
    """The highest position that the sink's forwarders have read from Kafka, also from topics that are no more. Raises
    Unavailable or KafkaRefused.
    """
    with typed_errors("looking what was read"), group(configuration, sink) as (consumer, keys):
        found = [_committed(consumer, key) for key in keys]
    return max((Note.read(one.note).position for one in found if one and one.note), default=0)


class Seen(NamedTuple):
    """Of each partition: the offset that the sink's forwarders have acknowledged, and that of the end."""

    acknowledged: dict[str, int]
    ends: dict[str, int]

    def reached(self, ends: Mapping[str, int]) -> bool:
        """Whether all that was there when these were the ends has been acknowledged. What ends a partition is the mark
        of a transaction, which nobody acknowledges.
        """
        return all(self.acknowledged.get(name, 0) >= end - 1 for name, end in ends.items())


def look(configuration: KafkaConfiguration, sink: str) -> Seen:
    """Raises Unavailable or KafkaRefused."""
    with typed_errors("looking what was read"), group(configuration, sink) as (consumer, keys):
        places = {key: place_in(consumer, key) for key in keys}
        ends = consumer.end_offsets(keys, ANSWER_MS)
    names = {key: f"{key.topic}/{key.partition}" for key in keys}
    acknowledged = {names[key]: place.offset if place else 0 for key, place in places.items()}
    return Seen(acknowledged, {names[key]: ends[key] for key in keys})


def skip_until(configuration: KafkaConfiguration, sink: str, position: int) -> None:
    """The sink has all events up to this position, however they came: whatever is delivered at or below it is passed
    over from now on. No forwarder of the sink may be running. Raises Unavailable or KafkaRefused.
    """
    with typed_errors("skipping what the sink has"), group(configuration, sink) as (consumer, keys):
        first, ends = consumer.beginning_offsets(keys, ANSWER_MS), consumer.end_offsets(keys, ANSWER_MS)
        now, moved = time.time_ns(), {}
        for key in keys:
            note = Note(now, position, topic=identity(consumer, key.topic))
            offset = _offset(place_in(consumer, key), first[key], ends[key])
            moved[key] = OffsetAndMetadata(offset, note.text(), -1)
        consumer.commit(moved, ANSWER_MS)


def forget_group(configuration: KafkaConfiguration, sink: str) -> None:
    """What the sink's forwarders have read. Raises Unavailable; KafkaRefused, also while one of them runs."""
    name = group_of(sink)
    with typed_errors("forgetting what was read"), closing(KafkaAdminClient(**configuration.client())) as admin:
        answer = admin.delete_groups([name])[name]
    if answer not in ("OK", GroupIdNotFoundError.__name__):
        raise KafkaRefused(f"Kafka does not forget the group {name}: {answer}")


@contextmanager
def group(
    configuration: KafkaConfiguration, sink: str, **options: Any
) -> Iterator[tuple[KafkaConsumer, list[TopicPartition]]]:
    """A consumer that speaks for the group without being a member, and all partitions."""
    ensure_topics(configuration)
    with closing(
        KafkaConsumer(
            **configuration.client(),
            group_id=group_of(sink),
            enable_auto_commit=False,
            auto_offset_reset="none",
            metrics_enabled=False,
            **options,
        )
    ) as consumer:
        keys = []
        for topic in configuration.topics:
            if not (numbers := consumer.partitions_for_topic(topic)):
                raise Unavailable(f"Kafka does not tell the partitions of {topic}")
            keys += [TopicPartition(topic, number) for number in sorted(numbers)]
        consumer.assign(keys)
        yield consumer, keys


def place_in(consumer: KafkaConsumer, key: TopicPartition) -> Committed | None:
    """What Kafka keeps of a partition for the consumer's group, if it is a place in the topic that is there now."""
    found = _committed(consumer, key)
    return found if found is not None and found.is_of(identity(consumer, key.topic)) else None


def _committed(consumer: KafkaConsumer, key: TopicPartition) -> Committed | None:
    found = consumer.committed(key, metadata=True, timeout_ms=ANSWER_MS)
    return None if found is None else Committed(found.offset, found.metadata)


def _offset(place: Committed | None, first: int, end: int) -> int:
    """Where to read on. Not where there is nothing any more: Kafka has thrown it away, or the topic was made anew."""
    return place.offset if place is not None and first <= place.offset <= end else first
