"""Projects as clients see them."""

from __future__ import annotations

from typing import Any

from api.views.users import reference

Row = dict[str, Any]


def project(row: Row, base: str) -> Row:
    project_id = row["id"]
    return {
        "url": f"{base}/api/projects/{project_id}",
        "id": project_id,
        "name": row["name"],
        "owner": reference(row, "owner", base),
        "assignee": reference(row, "assignee", base),
        "guide_id": None,
        "bug_tracker": row["bug_tracker"],
        "task_subsets": row["task_subsets"],
        "created_date": row["created_date"],
        "updated_date": row["updated_date"],
        "status": "annotation",
        "dimension": row["dimension"],
        "organization": row["organization_id"],
        "organization_id": row["organization_id"],
        "target_storage": row["target_storage"],
        "source_storage": row["source_storage"],
        "tasks": {"url": f"{base}/api/tasks?project_id={project_id}", "count": row["task_count"]},
        "labels": {"url": f"{base}/api/labels?project_id={project_id}"},
        "assignee_updated_date": row["assignee_updated_date"],
    }
