"""Tasks as clients see them. What a task without data does not have is left out, never null (CVAT's clients insist)."""

from __future__ import annotations

from typing import Any

from api.views.users import reference

Row = dict[str, Any]


def task(row: Row, base: str) -> Row:
    task_id = row["id"]
    result = {
        "url": f"{base}/api/tasks/{task_id}",
        "id": task_id,
        "name": row["name"],
        "project_id": row["project_id"],
        "mode": row["mode"],
        "owner": reference(row, "owner", base),
        "assignee": reference(row, "assignee", base),
        "assignee_updated_date": row["assignee_updated_date"],
        "bug_tracker": row["bug_tracker"],
        "created_date": row["created_date"],
        "updated_date": row["updated_date"],
        "overlap": row["overlap"],
        "segment_size": row["segment_size"],
        "status": row["status"],
        "data": None,
        "dimension": row["dimension"],
        "media_type": row["media_type"],
        "subset": row["subset"],
        "organization": row["organization_id"],
        "organization_id": row["organization_id"],
        "target_storage": row["target_storage"],
        "source_storage": row["source_storage"],
        "guide_id": None,
        "validation_mode": row["validation_mode"],
        "consensus_enabled": row["consensus_replicas"] > 0,
        "initial_replicas": row["consensus_replicas"],
        "jobs": {
            "url": f"{base}/api/jobs?task_id={task_id}",
            "count": row["job_count"],
            "completed": row["completed_jobs"],
            "validation": row["validation_stage_jobs"],
        },
        "labels": {"url": f"{base}/api/labels?task_id={task_id}"},
    }
    if row["size"] is not None:
        result |= {
            "data": task_id,
            "size": row["size"],
            "image_quality": row["image_quality"],
            "data_chunk_size": row["chunk_size"],
            "data_original_chunk_type": row["original_chunk_type"],
            "data_compressed_chunk_type": row["compressed_chunk_type"],
            "data_cloud_storage_id": None,
        }
    return result
