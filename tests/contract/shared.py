"""A server that the tests of one module share, because they leave nothing behind or only add to it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from infra.settings import Settings

from ..conftest import new_data_folder
from ..integration.databases import new_database
from .conftest import ADMIN, Server


@contextmanager
def running(postgres: str, **settings: Any) -> Iterator[Server]:
    """A server without agents, on a database of its own, with one user: the administrator. It tells nothing of itself,
    unless the settings say so.
    """
    with new_database(postgres) as url, new_data_folder() as folder:
        quiet = Settings(data=folder, **({"server_telemetry": "off"} | settings))
        server = Server(url, quiet).start(agents=0)
        try:
            server.add_user(ADMIN, is_admin=True)
            yield server
            server.verify()
            server.replay()
        finally:
            server.stop()


def head(server: Server) -> int:
    """The position of the newest event."""
    row = server.system.database.query_one("SELECT coalesce(max(position), 0) AS head FROM log.events")
    assert row is not None
    return int(row["head"])


def last_change(server: Server) -> int:
    """The position of the newest event that is not the server's telling of itself."""
    row = server.system.database.query_one(
        "SELECT coalesce(max(position), 0) AS last FROM log.events WHERE type <> 'ServerEventsReported'"
    )
    assert row is not None
    return int(row["last"])
