"""`annals migrate`: makes ready what the processes of a distributed deployment find when they start."""

from __future__ import annotations

from typing import TYPE_CHECKING

import typer

from cli.options import DataOption, read_settings

if TYPE_CHECKING:
    from infra.settings import Settings

FORWARDER_SECONDS = 60.0
"""How long forwarders may take to finish what they are sending, and let go of their tables."""


def migrate(data: DataOption = None) -> None:
    """Prepare all that the processes of a distributed deployment find when they start. To be run once before the first
    start and before each upgrade; harmless at any time. `annals serve` does it itself.
    """
    from cli.database import fresh_database

    settings = read_settings(data)
    with fresh_database(settings) as url:
        _prepare_database(settings, url)
        if settings.clickhouse_url is not None:
            _prepare_clickhouse(settings, url)
    _prepare_kafka(settings)


def _prepare_database(settings: Settings, url: str) -> None:
    from cli.progress import fold_progress
    from cli.rebuilding import prepare
    from cli.serving.first_user import ensure_first_user

    with fold_progress("Building projections") as progress:
        built = prepare(url, progress)
    typer.echo(f"PostgreSQL is ready; projections built: {', '.join(built) or 'none, they are there'}")
    typer.echo(f"User admin, {ensure_first_user(settings, url)}")


def _prepare_clickhouse(settings: Settings, url: str) -> None:
    """Every one that the topology sends to, while no forwarder does."""
    from contextlib import closing

    from cli.clickhouse_address import writer_url
    from cli.forward.parts import topology
    from consumers.forwarder.topology import ClickHouseConfig
    from consumers.lock import FollowerLock
    from infra.clickhouse import schema
    from infra.clickhouse.client import connect
    from infra.postgres.database import Database

    for route in topology(settings).routes():
        if isinstance(route.sink, ClickHouseConfig):
            with closing(Database(url).connect()) as connection:
                FollowerLock(connection, route.consumer).wait(FORWARDER_SECONDS)
                with closing(connect(route.sink.url or writer_url(settings))) as client:
                    schema.migrate(client, schema.Layout.of(settings))
            typer.echo(f"ClickHouse is ready: {route.name}")


def _prepare_kafka(settings: Settings) -> None:
    from infra.kafka.configuration import kafka_configuration
    from infra.kafka.topics import ensure_topics

    kafka = kafka_configuration(settings)
    if kafka is not None:
        ensure_topics(kafka)
        typer.echo(f"Kafka is ready: {', '.join(kafka.topics)}")
