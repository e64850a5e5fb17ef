"""Jobs as clients see them."""

from __future__ import annotations

from typing import Any

from api.views.users import reference

Row = dict[str, Any]


def job(row: Row, base: str) -> Row:
    job_id = row["id"]
    return {
        "url": f"{base}/api/jobs/{job_id}",
        "id": job_id,
        "task_id": row["task_id"],
        "project_id": row["project_id"],
        "assignee": reference(row, "assignee", base),
        "guide_id": None,
        "dimension": row["dimension"],
        "media_type": row["media_type"],
        "bug_tracker": row["bug_tracker"],
        "status": row["status"],
        "stage": row["stage"],
        "state": row["state"],
        "mode": row["mode"],
        "frame_count": row["frame_count"],
        "start_frame": row["start_frame"],
        "stop_frame": row["stop_frame"],
        "data_chunk_size": row["chunk_size"],
        # Of a job that has but some frames of a video there are pictures.
        "data_compressed_chunk_type": "imageset" if row["type"] == "ground_truth" else row["compressed_chunk_type"],
        "data_original_chunk_type": row["original_chunk_type"],
        "created_date": row["created_date"],
        "updated_date": row["updated_date"],
        "issues": {"url": f"{base}/api/issues?job_id={job_id}", "count": row["issue_count"]},
        "labels": {"url": f"{base}/api/labels?job_id={job_id}"},
        "type": row["type"],
        "organization": row["organization_id"],
        "organization_id": row["organization_id"],
        "target_storage": row["target_storage"],
        "source_storage": row["source_storage"],
        "assignee_updated_date": row["assignee_updated_date"],
        "parent_job_id": row["parent_job_id"],
        "consensus_replicas": row["replicas_count"],
        "replicas_count": row["replicas_count"],
    }
