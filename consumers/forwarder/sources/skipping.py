"""Telling the forwarders of a sink that it has all events up to a position, however they came."""

from __future__ import annotations

import time
from contextlib import closing

from kafka import KafkaConsumer, OffsetAndMetadata, TopicPartition

from consumers.forwarder.sources.kafka import group_of
from consumers.forwarder.sources.tenure import Note
from infra.kafka.configuration import KafkaConfiguration
from infra.kafka.errors import typed_errors

ANSWER_MS = 10_000


def skip_until(configuration: KafkaConfiguration, sink: str, position: int) -> None:
    """From now on whatever is delivered at or below this position is passed over. No forwarder of the sink may be
    running. Raises Unavailable or KafkaRefused.
    """
    with (
        typed_errors("skipping what the sink has"),
        closing(
            KafkaConsumer(
                **configuration.client(), group_id=group_of(sink), enable_auto_commit=False, metrics_enabled=False
            )
        ) as consumer,
    ):
        keys = [
            TopicPartition(topic, number)
            for topic in configuration.topics
            for number in consumer.partitions_for_topic(topic) or ()
        ]
        consumer.assign(keys)
        first = consumer.beginning_offsets(keys, ANSWER_MS)
        note = Note(time.time_ns(), position).text()
        consumer.commit(
            {
                key: OffsetAndMetadata(
                    found if (found := consumer.committed(key)) is not None else first[key], note, -1
                )
                for key in keys
            },
            ANSWER_MS,
        )
