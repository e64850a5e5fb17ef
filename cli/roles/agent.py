"""A process that does processing work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

from cli.bootstrap import connect
from cli.clickhouse_address import reader_url
from cli.keeping import ProjectionKeeper
from cli.roles.collector import calm_collector
from cli.roles.stopping import stop_event
from consumers.agent import Agent
from infra.blobs import open_blobs, open_exchange
from infra.metrics.serving import Health, serve_metrics
from infra.settings import Settings

CONNECTIONS = 4
"""Of each agent."""


def run(settings: Settings, database_url: Callable[[], str], queues: Sequence[str]) -> None:
    """An agent for each queue, side by side: a long export keeps nobody from making a task. Until SIGTERM; then they
    finish or give back what they have in hand.
    """
    blobs, exchange = open_blobs(settings, writing_threads=0), open_exchange(settings)
    for store in (blobs, exchange):
        store.clean()  # what uploads and purges left whose process was killed
    stop = stop_event()
    system = connect(database_url(), CONNECTIONS * len(queues))
    clickhouse = reader_url(settings)
    agents = [
        Agent(settings, system.database, system.app, blobs, (queue,), exchange=exchange, clickhouse=clickhouse)
        for queue in queues
    ]

    def health() -> Health:
        return Health(tuple(trouble for agent in agents if (trouble := agent.trouble)))

    calm_collector()
    try:
        with (
            serve_metrics(settings, health),
            ProjectionKeeper(system),
            ThreadPoolExecutor(len(agents), thread_name_prefix="agent") as threads,
        ):
            running = [threads.submit(agent.run, stop) for agent in agents]
            wait(running, return_when=FIRST_COMPLETED)
            stop.set()  # one that can't go on ends the process, and a supervisor starts it anew
        for ended in running:
            ended.result()
    finally:
        system.close()
