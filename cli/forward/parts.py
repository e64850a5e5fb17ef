"""What the forwarder's process and the commands around it share: the topology and the means to follow it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from cli.clickhouse_address import any_clickhouse, writer_url
from cli.database import open_database
from cli.serving.listening import local_url
from consumers.forwarder.means import Means
from consumers.forwarder.topology import CLICKHOUSE, Route, Topology, Wrong, default, read
from infra.clickhouse.schema import Layout
from infra.kafka.configuration import kafka_configuration
from infra.postgres.database import Database
from infra.settings import Settings


def topology(settings: Settings) -> Topology:
    """The file that the settings name, or the default. Raises Wrong for one that can't be followed here."""
    found = named_topology(settings)
    if complaints := list(_complaints(found, settings)):
        raise Wrong("; ".join(complaints))
    return found


def named_topology(settings: Settings) -> Topology:
    """As it stands there, whether it can be followed here or not."""
    return read(settings.topology) if settings.topology else default(kafka=settings.kafka_url is not None)


def check(settings: Settings) -> Topology:
    """Raises Wrong for a topology that a forwarder with these settings could not follow, naming all that is wrong."""
    found = named_topology(settings)
    complaints = list(_complaints(found, settings))
    try:
        for route in found.routes():
            route.shaper(redaction_key(settings))
    except Wrong as error:
        complaints.append(error.message)
    if complaints:
        raise Wrong("; ".join(complaints))
    return found


def _complaints(found: Topology, settings: Settings) -> Iterator[str]:
    if settings.kafka_url is None and any(source.type == "kafka" for source in found.sources.values()):
        yield "the topology reads from Kafka, and ANNALS_KAFKA_URL does not say where that is"
    try:
        found.check_servers(settings.clickhouse_url or local_url(settings.host, settings.clickhouse_port))
    except Wrong as error:
        yield error.message


def means(settings: Settings, database: Database, clickhouse_url: str | None = None) -> Means:
    """`clickhouse_url`: where it is known already."""
    return Means(
        database,
        clickhouse_url or writer_url(settings),
        settings.data / "forwarder",
        Layout.of(settings),
        kafka_configuration(settings),
        redaction_key(settings),
    )


def redaction_key(settings: Settings) -> bytes | None:
    return settings.redaction_key.encode() if settings.redaction_key else None


def route(settings: Settings, sink: str | None) -> Route:
    """To this sink; left out, to the only one, or to the one named clickhouse. Raises Wrong."""
    found = topology(settings)
    name = sink or (next(iter(found.sinks)) if len(found.sinks) == 1 else CLICKHOUSE)
    if name not in found.sinks:
        raise Wrong(f"there is no sink {name}, only {', '.join(found.sinks)}")
    return found.route(name)


@contextmanager
def open_means(settings: Settings) -> Iterator[Means]:
    """With a running database and ClickHouse; if need be they run for as long as this."""
    with open_database(settings) as database, any_clickhouse(settings) as url:
        yield means(settings, database, url)
