"""The blobs that go with a portable log."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime
from typing import Any

import orjson
from psycopg import Connection
from psycopg.rows import DictRow

from domain.errors import NotFound
from domain.events.data import NAMING_BLOBS, named_blobs
from domain.events.task import TaskPurged
from infra.blobs.copying import BlobCopier


class Blobs:
    """Copies the blobs of each event that comes by. `purged`: tasks whose blobs are gone, as far as that is known
    beforehand.
    """

    def __init__(self, copier: BlobCopier, purged: Collection[int] = ()) -> None:
        self._copier = copier
        self._purged = set(purged)
        self._missing: dict[int, str] = {}

    def exported(self, fields: dict[str, Any], payload: bytes) -> None:
        if fields["type"] in NAMING_BLOBS:
            self._copy(fields["task_id"], fields["type"], orjson.loads(payload))

    def imported(self, fields: dict[str, Any]) -> None:
        if fields["type"] == TaskPurged.type_name:
            self._missing.pop(fields["task_id"], None)
        if fields["type"] in NAMING_BLOBS:
            self._copy(fields["task_id"], fields["type"], fields["body"])

    @property
    def copied(self) -> int:
        return self._copier.done

    def finish(self) -> None:
        """Returns when everything is on disk. Raises NotFound for a blob that was not there."""
        for message in self._missing.values():
            raise NotFound(message)
        self._copier.finish()

    def _copy(self, task_id: int, type_name: str, body: dict[str, Any]) -> None:
        if task_id in self._purged:
            return
        for item in named_blobs(type_name, body):
            try:
                self._copier.copy(item["sha256"])
            except NotFound as error:  # which is as it should be if the task was purged later
                self._missing[task_id] = f"task {task_id}, “{item['name']}”: {error.message}"


def purged_tasks(connection: Connection[DictRow]) -> set[int]:
    rows = connection.execute("SELECT task_id FROM log.events WHERE type = %s", (TaskPurged.type_name,))
    return {row["task_id"] for row in rows}


def utc(time: datetime | None) -> datetime | None:
    """A time without a zone is UTC."""
    return time.replace(tzinfo=UTC) if time is not None and time.tzinfo is None else time
