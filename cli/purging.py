"""Freeing the space of what was deleted long ago."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from psycopg import Connection
from psycopg.rows import DictRow

from cli.bootstrap import System
from cli.wanted_blobs import wanted_blobs
from domain.event import SYSTEM, Context
from infra.blobs import BlobStore
from projections.named_queries import queries

GRACE_SECONDS = 86_400.0
"""A blob that was stored less than this ago may belong to an upload that goes on."""


@dataclass
class Freed:
    """What a purge removes, or would."""

    tasks: int = 0
    blobs: int = 0
    bytes: int = 0


def purgeable(system: System, days: float) -> list[dict[str, Any]]:
    """The tasks that were deleted at least so many days ago."""
    before = system.app.clock() - timedelta(days=days)
    return system.database.query(queries("deleted")["tasks_before"], {"before": before})


def purge(system: System, blobs: BlobStore, task_ids: Sequence[int], *, dry_run: bool) -> Freed:
    """Records the purge of each task; then removes every blob that no event of an unpurged task names.

    The events come first: a purge that is interrupted leaves blobs without use, which the next one removes.
    """
    freed = Freed()
    for task_id in task_ids:
        if not dry_run:
            system.app.tasks.purge(Context(SYSTEM, source="cli"), task_id)
        freed.tasks += 1
    before = time.time() - GRACE_SECONDS
    with system.database.connect() as connection:
        _collect_used(system, connection, frozenset(task_ids))
        for blob in blobs.sweep(lambda names: _used(connection, names), before, dry_run=dry_run):
            freed.blobs += 1
            freed.bytes += blob.size
    return freed


def _collect_used(system: System, connection: Connection[DictRow], purged: frozenset[int]) -> None:
    """A temporary table of all blobs that are referred to."""
    connection.execute('CREATE TEMPORARY TABLE used_blobs (sha256 text COLLATE "C" PRIMARY KEY)')
    for _, files in wanted_blobs(system, purged):
        connection.execute(
            "INSERT INTO used_blobs SELECT DISTINCT unnest(%s::text[]) ON CONFLICT DO NOTHING",
            ([item["sha256"] for item in files],),
        )


def _used(connection: Connection[DictRow], names: Sequence[str]) -> set[str]:
    rows = connection.execute("SELECT sha256 FROM used_blobs WHERE sha256 = ANY(%s)", (list(names),))
    return {row["sha256"] for row in rows}
