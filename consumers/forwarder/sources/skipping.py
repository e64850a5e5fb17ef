"""The place that Kafka keeps for the forwarders of a sink, seen and moved while none of them is running."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

from kafka import KafkaAdminClient, KafkaConsumer, OffsetAndMetadata, TopicPartition
from kafka.errors import GroupIdNotFoundError

from consumers.forwarder.sources.membership import group_of
from consumers.forwarder.sources.tenure import Note
from domain.errors import Unavailable
from infra.kafka.configuration import KafkaConfiguration
from infra.kafka.errors import KafkaRefused, typed_errors
from infra.kafka.topics import ensure_topics

ANSWER_MS = 10_000


def is_new(configuration: KafkaConfiguration, sink: str) -> bool:
    """Whether Kafka knows of nothing that the sink's forwarders have read: they never did, or were away for so long
    that it has forgotten them. Raises Unavailable or KafkaRefused.
    """
    with typed_errors("looking what was read"), group(configuration, sink) as (consumer, keys):
        return all(consumer.committed(key, timeout_ms=ANSWER_MS) is None for key in keys)


def farthest(configuration: KafkaConfiguration, sink: str) -> int:
    """The highest position that the sink's forwarders have read from Kafka. Raises Unavailable or KafkaRefused."""
    with typed_errors("looking what was read"), group(configuration, sink) as (consumer, keys):
        found = [consumer.committed(key, metadata=True, timeout_ms=ANSWER_MS) for key in keys]
    return max((Note.read(one.metadata).position for one in found if one and one.metadata), default=0)


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
        committed = {key: consumer.committed(key, timeout_ms=ANSWER_MS) for key in keys}
        ends = consumer.end_offsets(keys, ANSWER_MS)
    names = {key: f"{key.topic}/{key.partition}" for key in keys}
    return Seen({names[key]: committed[key] or 0 for key in keys}, {names[key]: ends[key] for key in keys})


def skip_until(configuration: KafkaConfiguration, sink: str, position: int) -> None:
    """The sink has all events up to this position, however they came: whatever is delivered at or below it is passed
    over from now on. No forwarder of the sink may be running. Raises Unavailable or KafkaRefused.
    """
    with typed_errors("skipping what the sink has"), group(configuration, sink) as (consumer, keys):
        first, ends = consumer.beginning_offsets(keys, ANSWER_MS), consumer.end_offsets(keys, ANSWER_MS)
        note = Note(time.time_ns(), position).text()
        committed = {key: consumer.committed(key, timeout_ms=ANSWER_MS) for key in keys}
        offsets = {key: _offset(committed[key], first[key], ends[key]) for key in keys}
        consumer.commit({key: OffsetAndMetadata(offset, note, -1) for key, offset in offsets.items()}, ANSWER_MS)


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


def _offset(committed: int | None, first: int, end: int) -> int:
    """Where to read on. Not where there is nothing any more: Kafka has thrown it away, or the topic was made anew."""
    return committed if committed is not None and first <= committed <= end else first
