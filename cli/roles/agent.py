"""A process that does processing work."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait

from cli.bootstrap import connect
from cli.keeping import ProjectionKeeper
from cli.roles.stopping import stop_event
from consumers.agent import Agent
from infra.blobs import FileBlobs
from infra.blobs.sweep import put_back
from infra.settings import Settings

CONNECTIONS = 4
"""Of each agent."""


def run(settings: Settings, database_url: Callable[[], str], queues: Sequence[str]) -> None:
    """An agent for each queue, side by side: a long export keeps nobody from making a task. Until SIGTERM; then they
    finish or give back what they have in hand.
    """
    blobs = FileBlobs(settings.blobs, writing_threads=0)
    blobs.clean()  # what uploads left whose process was killed
    put_back(settings.blobs)  # and a purge
    FileBlobs(settings.exchange).clean()
    stop = stop_event()
    system = connect(database_url(), CONNECTIONS * len(queues))
    agents = [Agent(settings, system.database, system.app, blobs, (queue,)) for queue in queues]
    try:
        with ProjectionKeeper(system), ThreadPoolExecutor(len(agents), thread_name_prefix="agent") as threads:
            running = [threads.submit(agent.run, stop) for agent in agents]
            wait(running, return_when=FIRST_COMPLETED)
            stop.set()  # one that can't go on ends the process, and a supervisor starts it anew
        for ended in running:
            ended.result()
    finally:
        system.close()
