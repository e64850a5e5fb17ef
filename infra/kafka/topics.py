"""The topics, made when they are missing; those that exist are left as they are."""

from __future__ import annotations

from contextlib import closing

from kafka import KafkaAdminClient, KafkaConsumer
from kafka.errors import NotControllerError, TopicAlreadyExistsError

from infra.kafka.configuration import KafkaConfiguration
from infra.kafka.errors import typed_errors
from infra.kafka.messages import LARGEST_VALUE

MOST_REPLICAS = 3
TIMEOUT_MS = 10_000
OVERHEAD = 1024 * 1024
"""Of a message's batch, and of what can't be compressed."""


def ensure_topics(configuration: KafkaConfiguration) -> None:
    """Returns when each topic is there. Raises Unavailable or KafkaRefused."""
    with typed_errors("making the topics"), closing(KafkaAdminClient(**configuration.client())) as admin:
        present = {topic["name"] for topic in admin.describe_topics()}
        missing = [topic for topic in configuration.topics if topic not in present]
        if not missing:
            return
        replicas = configuration.replicas or min(MOST_REPLICAS, len(admin.describe_cluster()["brokers"]))
        for topic in missing:
            description = {
                "num_partitions": configuration.partitions,
                "replication_factor": replicas,
                "configs": _settings(replicas),
            }
            try:
                admin.create_topics({topic: description}, timeout_ms=TIMEOUT_MS, wait_for_metadata=True)
            except TopicAlreadyExistsError:
                continue  # another process was faster
            except RuntimeError as error:  # how the library says that nobody is the controller just now
                raise NotControllerError(str(error)) from error


def identity(consumer: KafkaConsumer, topic: str) -> str:
    """A topic that is made anew has another one; empty with brokers older than Kafka 2.8, or when there is no topic.
    As the consumer knows it, which asks every METADATA_MS.
    """
    return str(consumer._cluster.topic_id(topic) or "")


def _settings(replicas: int) -> dict[str, str]:
    return {
        # What is acknowledged survives the loss of a broker, and one broker may be away.
        "min.insync.replicas": str(max(1, replicas - 1)),
        "unclean.leader.election.enable": "false",
        "max.message.bytes": str(LARGEST_VALUE + OVERHEAD),
        # For ever: who comes later reads from the beginning, and nobody loses what they had no time to read.
        "retention.ms": "-1",
        # So that whoever sets a retention keeps what was relayed lately, however old the events are.
        "message.timestamp.type": "LogAppendTime",
    }
