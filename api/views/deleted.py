"""What was deleted and can come back, as clients see it."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]


def deleted(row: Row, _base: str) -> Row:
    """`stream` is what POST /api/log/restore takes; `position` that of the event that deleted it."""
    return {
        "stream": row["stream"],
        "kind": row["kind"],
        "name": row["name"],
        "project_id": row["project_id"],
        "task_id": row["task_id"],
        "position": row["id"],
        "deleted_date": row["deleted_date"],
        "deleted_by": row["deleted_by"],
    }
