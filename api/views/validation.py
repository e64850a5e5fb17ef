"""How work is checked, as clients see it."""

from __future__ import annotations

from typing import Any

Row = dict[str, Any]


def task_layout(row: Row) -> Row:
    """CVAT's TaskValidationLayoutRead: just a mode of null where work is not checked."""
    if row["mode"] is None:
        return {"mode": None}
    return {
        "mode": row["mode"],
        "frames_per_job_count": row["frames_per_job_count"],
        "validation_frames": row["frames"],
        "disabled_frames": row["disabled_frames"],
        **_honeypots(row),
    }


def job_layout(row: Row) -> Row:
    """CVAT's JobValidationLayoutRead: empty where there are no honeypots."""
    return _honeypots(row) if row["mode"] == "gt_pool" else {}


def _honeypots(row: Row) -> Row:
    return {
        "honeypot_count": len(row["honeypot_frames"]),
        "honeypot_frames": row["honeypot_frames"],
        "honeypot_real_frames": row["honeypot_real_frames"],
    }
