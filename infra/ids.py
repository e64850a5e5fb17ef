"""Numbers from PostgreSQL sequences."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from itertools import chain, islice

from infra.postgres.database import Database

BLOCK = 1_000
"""Ids of annotation objects that a process takes at a time: no round trip for most submits."""


class SequenceIds:
    """Thread-safe."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._left: Iterator[int] = iter(())
        self._left_count = 0

    def one(self, kind: str) -> int:
        return self.many(kind, 1)[0]

    def many(self, kind: str, count: int) -> list[int]:
        """`kind`: the sequence is log.<kind>_ids."""
        if count == 0:
            return []
        return self._next_values(f"log.{kind}_ids", count)

    def annotations(self, count: int) -> Iterator[int]:
        with self._lock:
            missing = count - self._left_count
            if missing > 0:
                blocks = self._next_values("log.annotation_id_blocks", -(-missing // BLOCK))
                self._left = chain(self._left, *(range(block * BLOCK, (block + 1) * BLOCK) for block in blocks))
                self._left_count += len(blocks) * BLOCK
            self._left_count -= count
            return iter(list(islice(self._left, count)))

    def highest_annotation(self) -> int:
        row = self._database.query_one("SELECT last_value, is_called FROM log.annotation_id_blocks")
        return (row["last_value"] + 1) * BLOCK - 1 if row and row["is_called"] else 0

    def _next_values(self, sequence: str, count: int) -> list[int]:
        rows = self._database.query(
            "SELECT nextval(%s::regclass) AS id FROM generate_series(1, %s) ORDER BY 1", (sequence, count)
        )
        return [row["id"] for row in rows]
