"""Issues and comments as clients see them."""

from __future__ import annotations

from typing import Any

from api.views.users import reference

Row = dict[str, Any]


def issue(row: Row, base: str) -> Row:
    return {
        "id": row["id"],
        "frame": row["frame"],
        "position": row["position"],
        "job": row["job_id"],
        "owner": reference(row, "owner", base),
        "assignee": reference(row, "assignee", base),
        "created_date": row["created_date"],
        "updated_date": row["updated_date"],
        "resolved": row["resolved"],
        "comments": {"url": f"{base}/api/comments?issue_id={row['id']}", "count": row["comment_count"]},
    }


def comment(row: Row, base: str) -> Row:
    return {
        "id": row["id"],
        "issue": row["issue_id"],
        "owner": reference(row, "owner", base),
        "message": row["message"],
        "created_date": row["created_date"],
        "updated_date": row["updated_date"],
    }
