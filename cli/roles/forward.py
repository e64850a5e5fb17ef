"""A process that forwards the log to ClickHouse, or wherever a topology says."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import ExitStack, closing

from cli.forward.parts import check, means
from cli.roles.collector import calm_collector
from cli.roles.stopping import stop_event
from consumers.forwarder.bookkeeper import Bookkeeper
from consumers.forwarder.forwarder import Forwarder
from consumers.forwarder.reconciler import Reconciler
from consumers.forwarder.topology import ClickHouseConfig, KafkaConfig
from infra.metrics.serving import Health, serve_metrics
from infra.postgres.database import Database
from infra.settings import Settings

CONNECTIONS = 2
"""Of a pool that only short questions use: a route has connections of its own."""


def run(settings: Settings, database_url: Callable[[], str]) -> None:
    """Every route of the topology, side by side. Until SIGTERM; then they send what is there already."""
    stop = stop_event()
    routes = check(settings).routes()
    with ExitStack() as stack:
        database = stack.enter_context(closing(Database(database_url(), CONNECTIONS)))
        given = means(settings, database)
        forwarders = [Forwarder(route, given) for route in routes]
        comparing = [route for route in routes if isinstance(route.sink, ClickHouseConfig)]
        reconcilers = [Reconciler(route, given, settings.reconcile_seconds) for route in comparing]
        from_kafka = [route for route in routes if isinstance(route.source, KafkaConfig)]
        bookkeepers = [stack.enter_context(closing(Bookkeeper(route, given))) for route in from_kafka]
        calm_collector()
        stack.enter_context(serve_metrics(settings, lambda: health(forwarders)))
        _run([*forwarders, *reconcilers, *bookkeepers], stop)


def _run(workers: Sequence[Forwarder | Reconciler | Bookkeeper], stop: threading.Event) -> None:
    with ThreadPoolExecutor(len(workers), thread_name_prefix="route") as threads:
        running = [threads.submit(worker.run, stop) for worker in workers]
        wait(running, return_when=FIRST_COMPLETED)
        stop.set()  # one that can't go on ends the process, and a supervisor starts it anew
    for ended in running:
        ended.result()


def health(forwarders: list[Forwarder]) -> Health:
    """Bad while a route fails. One that waits for another forwarder to end is as it should be."""
    snapshots = [(forwarder.name, forwarder.status.snapshot()) for forwarder in forwarders]
    return Health(tuple(f"{name}: {now.last_error}" for name, now in snapshots if now.state == "failing"))
