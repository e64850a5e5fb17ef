"""Freeing the space of what was deleted long ago."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from psycopg import Connection
from psycopg.rows import DictRow

from cli.bootstrap import System
from domain.event import SYSTEM, Context
from domain.events.data import NAMING_BLOBS, named_blobs
from domain.events.task import TaskPurged
from infra.blobs.sweep import Unused, remove, unused_blobs
from infra.settings import Settings
from projections.named_queries import queries

BATCH = 1_000
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


def purge(system: System, settings: Settings, task_ids: Sequence[int], *, dry_run: bool) -> Freed:
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
        for blob in unused_blobs(settings.blobs, lambda names: _used(connection, names), before):
            if dry_run or remove(blob, before):
                _count(freed, blob)
    return freed


def _count(freed: Freed, blob: Unused) -> None:
    freed.blobs += 1
    freed.bytes += blob.size


def _collect_used(system: System, connection: Connection[DictRow], purged: frozenset[int]) -> None:
    """A temporary table of all blobs that are referred to."""
    gone = purged | {event.body.task_id for event in _events(system, [TaskPurged.type_name])}
    connection.execute('CREATE TEMPORARY TABLE used_blobs (sha256 text COLLATE "C" PRIMARY KEY)')
    for event in _events(system, list(NAMING_BLOBS)):
        if event.body.task_id in gone:
            continue
        named = named_blobs(event.body.type_name, vars(event.body))
        connection.execute(
            "INSERT INTO used_blobs SELECT DISTINCT unnest(%s::text[]) ON CONFLICT DO NOTHING",
            ([item["sha256"] for item in named],),
        )


def _used(connection: Connection[DictRow], names: Sequence[str]) -> set[str]:
    rows = connection.execute("SELECT sha256 FROM used_blobs WHERE sha256 = ANY(%s)", (list(names),))
    return {row["sha256"] for row in rows}


def _events(system: System, types: list[str]) -> Iterator[Any]:
    """All events of some types, in order."""
    position = 0
    recorder = system.app.recorder
    while rows := recorder.select_notifications(position, BATCH, topics=types, inclusive_of_start=False):
        for row in rows:
            yield system.app.mapper.to_domain_event(row)
        position = rows[-1].id
