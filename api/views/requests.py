"""Requests as clients see them."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

Row = dict[str, Any]


def request(row: Row, base: str) -> Row:
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
        "expiry_date": row["expiry_date"],
        "owner": {"id": row["owner_id"], "username": row["owner"]},
        "operation": operation,
    }
    outcome: Row = row["result"]
    if "sha256" in outcome:
        result["result_url"] = _download(row, base)
    if "result_id" in outcome:
        result["result_id"] = outcome["result_id"]
    return result


def _download(row: Row, base: str) -> str:
    """Where the file is that an export made."""
    noun = row["target"]
    if noun == "events":
        return f"{base}/api/events/download?{urlencode({'rq_id': row['id']})}"
    return f"{base}/api/{noun}s/{row[f'{noun}_id']}/dataset/download?{urlencode({'rq_id': row['id']})}"


def message(row: Row) -> str:
    """Why it failed, or what it waits for: nothing stays pending without a word."""
    if row["status"] == "queued" and row["agents"] == 0:
        return f"No agent is listening to the queue “{row['queue']}”."
    return str(row["message"])
