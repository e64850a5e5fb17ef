"""A log beside a Kafka without topics."""

from __future__ import annotations

import pytest

from cli.bootstrap import System
from infra.postgres.database import Database
from tests.kafka.fixtures import guarded_broker, kafka, kafka_configuration, lonely_broker, three_brokers

__all__ = ["guarded_broker", "kafka", "kafka_configuration", "lonely_broker", "three_brokers"]


@pytest.fixture
def log(system: System) -> Database:
    return system.database
