"""A place in a topic is none in another topic of the same name."""

from __future__ import annotations

from contextlib import closing

import pytest

from cli.bootstrap import System
from consumers.forwarder.sources.kafka import KafkaSource
from consumers.forwarder.sources.reach import Reach
from consumers.forwarder.sources.skipping import group, is_known, skip_until
from infra.kafka.configuration import KafkaConfiguration
from infra.kafka.errors import TopicMadeAnew
from infra.postgres.database import Database

from .readers import Ledger, endless, read_all
from .steps import delete_topics, record, relay_all
from .test_source import begun, deliveries, everything

__all__ = ["begun"]


def test_topics_that_were_made_anew_are_not_gone_on_with(
    system: System, log: Database, kafka_configuration: KafkaConfiguration
) -> None:
    """Who is as far in the old ones as the new ones have come, or less far, would miss what lies before that."""
    record(system, 300)
    relay_all(log, kafka_configuration)
    with closing(KafkaSource(kafka_configuration, "test", endless)) as source:
        deliveries(source, lambda found: len(found) >= 300)
        delete_topics(kafka_configuration)
        record(system, 700)
        relay_all(log, kafka_configuration)
        with pytest.raises(TopicMadeAnew):
            deliveries(source, lambda found: len(found) >= 1_000)


def test_a_place_in_a_topic_that_is_no_more_is_none(
    system: System, log: Database, kafka_configuration: KafkaConfiguration
) -> None:
    """Until somebody says again what the sink has: then all behind that comes, from the start of the new topic."""
    record(system, 300)
    relay_all(log, kafka_configuration)
    assert is_known(kafka_configuration, "test")
    ledger = Ledger()
    read_all(kafka_configuration, ledger, lambda: len(ledger.positions) == 300)
    with group(kafka_configuration, "test") as (consumer, keys):
        places = {key: consumer.committed(key, metadata=True) for key in keys}
        delete_topics(kafka_configuration)
        record(system, 700)
        relay_all(log, kafka_configuration)
    with group(kafka_configuration, "test") as (consumer, keys):
        consumer.commit(places)  # as a forwarder does that has not noticed yet
    assert not is_known(kafka_configuration, "test")
    with closing(Reach(kafka_configuration, "test")) as reach:
        assert reach.position(1_000) == 0
    with pytest.raises(TopicMadeAnew):
        read_all(kafka_configuration, ledger, lambda: False)
    skip_until(kafka_configuration, "test", 300)
    assert is_known(kafka_configuration, "test")
    read_all(kafka_configuration, ledger, lambda: len(ledger.positions) >= 1_000)
    assert ledger.positions == everything(log)
