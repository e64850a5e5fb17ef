"""The blobs that the log still needs."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from cli.bootstrap import System
from domain.events.data import NAMING_BLOBS, named_blobs
from domain.events.task import TaskPurged

BATCH = 1_000


def wanted_blobs(system: System, purged: Collection[int] = ()) -> Iterator[tuple[int, Sequence[Mapping[str, Any]]]]:
    """Task and files of each event that names any, but for tasks that were purged, or that `purged` says."""
    gone = {event.body.task_id for event in _events(system, [TaskPurged.type_name])} | set(purged)
    for event in _events(system, list(NAMING_BLOBS)):
        if event.body.task_id not in gone:
            yield event.body.task_id, named_blobs(event.body.type_name, vars(event.body))


def _events(system: System, types: list[str]) -> Iterator[Any]:
    """All events of some types, in order."""
    position = 0
    recorder = system.app.recorder
    while rows := recorder.select_notifications(position, BATCH, topics=types, inclusive_of_start=False):
        for row in rows:
            yield system.app.mapper.to_domain_event(row)
        position = rows[-1].id
