"""The place that Kafka keeps for the forwarders of a sink, seen and moved while none of them is running."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

from kafka import KafkaAdminClient, KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.errors import GroupIdNotFoundError

from consumers.forwarder.sources.membership import group_of
from consumers.forwarder.sources.tenure import Committed, Note
from consumers.timeline import FIRST, Timeline
from domain.errors import Unavailable
from infra.kafka.configuration import KafkaConfiguration
from infra.kafka.consumer import BatchConsumer
from infra.kafka.errors import KafkaRefused, typed_errors
from infra.kafka.topics import ensure_topics, identity

ANSWER_MS = 10_000


def is_known(configuration: KafkaConfiguration, sink: str, timeline: int = 0) -> bool:
    """Whether Kafka knows how far the sink's forwarders have read each partition. Not when they never did, or were away
    for so long that it has forgotten them; nor when the partition is new, the topic was made anew since, or the log was
    restored, so that it has another `timeline`. Raises Unavailable or KafkaRefused.
    """
    with typed_errors("looking what was read"), group(configuration, sink) as (consumer, keys):
        return all(place_in(consumer, key, timeline) is not None for key in keys)


def farthest(configuration: KafkaConfiguration, sink: str) -> int:
    """The highest position that the sink's forwarders have read from Kafka, also from topics that are no more. Raises
    Unavailable or KafkaRefused.
    """
    with typed_errors("looking what was read"), group(configuration, sink) as (consumer, keys):
        found = [_committed(consumer, key) for key in keys]
    return max((Note.read(one.note).position for one in found if one and one.note), default=0)


def skip_until(configuration: KafkaConfiguration, sink: str, position: int, timeline: Timeline = FIRST) -> None:
    """The sink has all events of this timeline up to this position, however they came: whatever is delivered at or
    below it is passed over from now on, and so is what is of an earlier timeline. No forwarder of the sink may be
    running. Raises Unavailable or KafkaRefused.
    """
    with typed_errors("skipping what the sink has"), group(configuration, sink) as (consumer, keys):
        first, ends = consumer.beginning_offsets(keys, ANSWER_MS), consumer.end_offsets(keys, ANSWER_MS)
        now, moved = time.time_ns(), {}
        for key in keys:
            note = Note(now, position, topic=identity(consumer, key.topic), timeline=timeline.number)
            start = timeline.starts.get(f"{key.topic}/{key.partition}", 0)
            place = place_in(consumer, key, timeline.number)
            offset = _offset(place, max(first[key], start) if start <= ends[key] else first[key], ends[key])
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
) -> Iterator[tuple[BatchConsumer, list[TopicPartition]]]:
    """A consumer that speaks for the group without being a member, and all partitions."""
    ensure_topics(configuration)
    with closing(
        BatchConsumer(
            **configuration.client(),
            group_id=group_of(sink),
            enable_auto_commit=False,
            auto_offset_reset="none",
            metrics_enabled=False,
            **options,
        )
    ) as consumer:
        keys = keys_of(consumer, configuration.topics)
        consumer.assign(keys)
        yield consumer, keys


def keys_of(consumer: KafkaConsumer, topics: Sequence[str]) -> list[TopicPartition]:
    """All partitions. Raises Unavailable while Kafka does not tell them."""
    keys = []
    for topic in topics:
        if not (numbers := consumer.partitions_for_topic(topic)):
            raise Unavailable(f"Kafka does not tell the partitions of {topic}")
        keys += [TopicPartition(topic, number) for number in sorted(numbers)]
    return keys


def place_in(consumer: KafkaConsumer, key: TopicPartition, timeline: int = 0) -> Committed | None:
    """What Kafka keeps of a partition for the consumer's group, if it is a place in the topic that is there now, and of
    no timeline before this one.
    """
    found = _committed(consumer, key)
    return found if found is not None and found.is_of(identity(consumer, key.topic), timeline) else None


def _committed(consumer: KafkaConsumer, key: TopicPartition) -> Committed | None:
    found = consumer.committed(key, metadata=True, timeout_ms=ANSWER_MS)
    return None if found is None else Committed(found.offset, found.metadata)


def _offset(place: Committed | None, start: int, end: int) -> int:
    """Where to read on. Not where there is nothing any more: Kafka has thrown it away, or the topic was made anew."""
    return place.offset if place is not None and start <= place.offset <= end else start
