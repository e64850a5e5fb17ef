"""The blobs that go with a portable log."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

import orjson
from psycopg import Connection
from psycopg.rows import DictRow

from domain.errors import NotFound
from domain.events.data import NAMING_BLOBS, named_blobs
from domain.events.task import TaskPurged
from infra.blobs.copying import BlobCopier

AT_ONCE = 50_000
"""Blobs that a store is asked for together: one that is far away is then listed, not asked for each."""


class Blobs:
    """Copies the blobs of each event that comes by, many at once. `purged`: tasks whose blobs are gone, as far as that
    is known beforehand.
    """

    def __init__(self, copier: BlobCopier, purged: Collection[int] = ()) -> None:
        self._copier = copier
        self._purged = set(purged)
        self._seen: set[bytes] = set()
        self._waiting: dict[str, int] = {}
        self._named: dict[str, tuple[int, str]] = {}
        self._missing: list[tuple[int, str]] = []

    def exported(self, fields: dict[str, Any], payload: bytes) -> None:
        if fields["type"] in NAMING_BLOBS:
            self.add(fields["task_id"], named_blobs(fields["type"], orjson.loads(payload)))

    def imported(self, fields: dict[str, Any]) -> None:
        if fields["type"] == TaskPurged.type_name:
            self._purged.add(fields["task_id"])
        if fields["type"] in NAMING_BLOBS:
            self.add(fields["task_id"], named_blobs(fields["type"], fields["body"]))

    @property
    def copied(self) -> int:
        return self._copier.copied

    @property
    def seen(self) -> int:
        """How many different ones came by."""
        return len(self._seen)

    def add(self, task_id: int, files: Iterable[Mapping[str, Any]]) -> None:
        """Blobs that an event names."""
        for item in files if task_id not in self._purged else ():
            digest = bytes.fromhex(item["sha256"])
            if digest not in self._seen:
                self._seen.add(digest)
                self._waiting[item["sha256"]] = item["size"]
                self._named[item["sha256"]] = (task_id, item["name"])
        if len(self._waiting) >= AT_ONCE:
            self._copy()

    def finish(self) -> None:
        """Returns when everything is stored. Raises NotFound for a blob that was not there."""
        self._copy()
        for task_id, message in self._missing:
            if task_id not in self._purged:
                raise NotFound(message)

    def _copy(self) -> None:
        for sha256 in self._copier.copy(self._waiting):
            task_id, name = self._named[sha256]
            self._missing.append((task_id, f"task {task_id}, “{name}”: Blob {sha256} is not stored here"))
        self._waiting, self._named = {}, {}


def purged_tasks(connection: Connection[DictRow]) -> set[int]:
    rows = connection.execute("SELECT task_id FROM log.events WHERE type = %s", (TaskPurged.type_name,))
    return {row["task_id"] for row in rows}


def utc(time: datetime | None) -> datetime | None:
    """A time without a zone is UTC."""
    return time.replace(tzinfo=UTC) if time is not None and time.tzinfo is None else time
