"""Files that come and go: what exports made and imports were given goes when nobody may ask for it any more."""

from __future__ import annotations

import time
from collections.abc import Sequence

import structlog

from infra.blobs import BlobStore
from infra.postgres.database import Database
from projections.named_queries import queries

log = structlog.get_logger(__name__)

KEPT_SECONDS = 25 * 3600.0
"""An hour longer than the requests promise: a file is a little older than the end of the request that made it."""

EVERY_SECONDS = 600.0


class ExchangeSweep:
    """Looks through the store now and then. Several agents may do so side by side."""

    def __init__(self, exchange: BlobStore, database: Database) -> None:
        self._exchange, self._database = exchange, database
        self._swept = -EVERY_SECONDS

    def run_if_due(self) -> None:
        now = time.monotonic()
        if now - self._swept >= EVERY_SECONDS:
            self._swept = now
            self.run(time.time() - KEPT_SECONDS)

    def run(self, before: float) -> int:
        """Removes what is older than a POSIX time and waits for no import; returns how many."""
        removed = sum(1 for _ in self._exchange.sweep(self._awaited, before))
        if removed:
            log.info("expired files removed", files=removed)
        return removed

    def _awaited(self, names: Sequence[str]) -> set[str]:
        """Those that a request still waits to work on."""
        rows = self._database.query(queries("requests")["awaited"], {"names": list(names)})
        return {row["sha256"] for row in rows}
