"""What a producer leaves in Kafka beside its messages, in the same transaction: there when they are, else not.

It stands beside an offset of a consumer group that has the producer's name and no members. Kafka forgets it when
nothing was left there for long (the brokers' `offsets.retention.minutes`, a week), or when the topic is deleted.
"""

from __future__ import annotations

from contextlib import closing
from typing import NamedTuple

from kafka import KafkaConsumer, TopicPartition

from infra.kafka.configuration import KafkaConfiguration
from infra.kafka.errors import typed_errors

ANSWER_MS = 10_000


class Notes(NamedTuple):
    """Where they lie."""

    group: str
    key: TopicPartition


class Found(NamedTuple):
    """`note`: None when there is none. `ends`: of each partition of the topics, the offset behind all that is there, by
    topic and number.
    """

    note: str | None
    ends: dict[tuple[str, int], int]


def notes_of(configuration: KafkaConfiguration, name: str) -> Notes:
    """Of the producer of this name."""
    return Notes(f"{configuration.topic_prefix}{name}", TopicPartition(configuration.events_topic, 0))


def look(configuration: KafkaConfiguration, name: str) -> Found:
    """What was left last, while that producer sends nothing. Raises Unavailable or KafkaRefused."""
    notes = notes_of(configuration, name)
    with (
        typed_errors("looking what was relayed"),
        closing(
            KafkaConsumer(
                **configuration.client(),
                group_id=notes.group,
                enable_auto_commit=False,
                metrics_enabled=False,
            )
        ) as consumer,
    ):
        found = consumer.committed(notes.key, metadata=True, timeout_ms=ANSWER_MS)
        keys = [
            TopicPartition(topic, number)
            for topic in configuration.topics
            for number in consumer.partitions_for_topic(topic) or ()
        ]
        ends = consumer.end_offsets(keys, ANSWER_MS)
    return Found(found.metadata if found else None, {(key.topic, key.partition): end for key, end in ends.items()})
