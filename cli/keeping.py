"""Keeping the projections of a running program: that they stay, and that they follow what other programs append."""

from __future__ import annotations

import threading
from contextlib import suppress
from types import TracebackType

import psycopg
import structlog
from psycopg import Connection
from psycopg.rows import DictRow

from cli.bootstrap import System
from domain.errors import Unavailable
from projections import versions

ALONE_SECONDS = 1.0
"""How soon it is noticed that a program with other versions appends, too."""

TOGETHER_SECONDS = 0.05
"""How far the tables may then be behind what that one has appended."""

OTHERS = "SELECT EXISTS (SELECT FROM log.projections WHERE folded IS NOT NULL) AS others"
log = structlog.get_logger(__name__)


class ProjectionKeeper:
    """For as long as a process serves, as a context manager."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="projection-keeper", daemon=True)

    def __enter__(self) -> ProjectionKeeper:
        self._thread.start()
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._stop.is_set():
            gone = suppress(psycopg.OperationalError, psycopg.InterfaceError)
            with gone, self._system.database.connect() as connection:
                versions.hold(connection, self._system.projections)
                self._follow(connection)
            self._stop.wait(ALONE_SECONDS)

    def _follow(self, connection: Connection[DictRow]) -> None:
        while not self._stop.is_set():
            row = connection.execute(OTHERS).fetchone()
            together = bool(row and row["others"])
            if together:
                try:
                    self._system.catch_up()
                except (Unavailable, psycopg.Error) as error:  # and go on holding the lock
                    log.error("the projections don't follow", error=str(error))
                    together = False
            self._stop.wait(TOGETHER_SECONDS if together else ALONE_SECONDS)
