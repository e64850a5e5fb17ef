"""A process that relays the log to Kafka."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing

from cli.roles.collector import calm_collector
from cli.roles.stopping import stop_event
from consumers.relay.relay import Relay
from domain.errors import NotOffered
from infra.kafka.configuration import kafka_configuration
from infra.metrics.serving import Health, serve_metrics
from infra.postgres.database import Database
from infra.settings import Settings


def run(settings: Settings, database_url: Callable[[], str]) -> None:
    """Until SIGTERM; then it relays what is in the log already. Raises NotOffered when the settings name no Kafka."""
    kafka = kafka_configuration(settings)
    if kafka is None:
        raise NotOffered("There is no Kafka to relay to: set ANNALS_KAFKA_URL")
    stop = stop_event()
    with closing(Database(database_url(), 1)) as database:
        calm_collector()
        relay = Relay(database, kafka)
        with serve_metrics(settings, lambda: health(relay)):
            relay.run(stop)


def health(relay: Relay) -> Health:
    """Bad while it fails. One that waits for another relay to end is as it should be."""
    now = relay.status.snapshot()
    return Health((f"relay: {now.last_error}",) if now.state == "failing" else ())
