"""Requests as clients see them."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

Row = dict[str, Any]
KEPT = {"finished": timedelta(hours=1), "failed": timedelta(days=30)}
"""How long CVAT shows the results of creations and imports."""


def request(row: Row, base: str) -> Row:  # noqa: ARG001  (every view has this signature)
    status = row["status"]
    operation = {
        "type": ":".join(part for part in (row["action"], row["subresource"] or row["target"]) if part),
        "target": row["target"],
        "project_id": row["project_id"],
        "task_id": row["task_id"],
        "job_id": row["job_id"],
        "org_id": None,
        "format": row["params"].get("format"),
        "function_id": None,
        "lightweight": None,
    }
    result = {
        "id": row["id"],
        "status": status,
        "message": message(row),
        "progress": 1.0 if status == "finished" else None,
        "created_date": row["created_date"],
        "started_date": row["started_date"],
        "finished_date": row["finished_date"],
        "expiry_date": row["finished_date"] + KEPT[status] if status in KEPT else None,
        "owner": {"id": row["owner_id"], "username": row["owner"]},
        "operation": operation,
    }
    outcome: Row = row["result"]
    return result | outcome


def message(row: Row) -> str:
    """Why it failed, or what it waits for: nothing stays pending without a word."""
    if row["status"] == "queued" and row["agents"] == 0:
        return f"No agent is listening to the queue “{row['queue']}”."
    return str(row["message"])
