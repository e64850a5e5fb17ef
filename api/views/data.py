"""A task's or a job's data as clients see it."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import orjson

from api.responses import OPTIONS
from domain.data_params import DataParams

Row = dict[str, Any]


def meta(row: Row, frames: Collection[int], frame_metas: str) -> bytes:
    """CVAT's DataMetaRead as JSON text. `row`: of the queries of_task or of_job; `frames`: that it has; `frame_metas`:
    of its namesake.

    `start_frame` and `stop_frame` are absolute (before selection); deleted frames are numbered within the task.
    """
    step = DataParams(frame_filter=row["frame_filter"]).frame_step
    included = row["included"]
    head = {
        "chapters": None,
        "chunks_updated_date": row["updated_date"],
        "chunk_size": row["chunk_size"],
        "size": len(frames),
        "image_quality": row["image_quality"],
        "start_frame": row["start_frame"] + row["first"] * step,
        "stop_frame": row["start_frame"] + row["last"] * step,
        "frame_filter": row["frame_filter"],
        "deleted_frames": [frame for frame in row["deleted_frames"] if frame in frames],
        "included_frames": included and [row["start_frame"] + frame * step for frame in included],
        "storage": "local",
        "cloud_storage_id": None,
    }
    return b'%b,"frames":[%b]}' % (orjson.dumps(head, option=OPTIONS)[:-1], frame_metas.encode())
