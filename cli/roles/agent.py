"""A process that does processing work."""

from __future__ import annotations

from collections.abc import Callable

from cli.bootstrap import connect
from cli.keeping import ProjectionKeeper
from cli.roles.stopping import stop_event
from consumers.agent import Agent
from infra.blobs import FileBlobs
from infra.blobs.sweep import put_back
from infra.settings import Settings

CONNECTIONS = 4


def run(settings: Settings, database_url: Callable[[], str]) -> None:
    """Until SIGTERM; then it finishes or gives back what it has in hand."""
    blobs = FileBlobs(settings.blobs)
    blobs.clean()  # what uploads left whose process was killed
    put_back(settings.blobs)  # and a purge
    FileBlobs(settings.exchange).clean()
    system = connect(database_url(), CONNECTIONS)
    try:
        with ProjectionKeeper(system):
            Agent(settings, system.database, system.app, blobs).run(stop_event())
    finally:
        system.close()
