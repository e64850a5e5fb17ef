"""What is recorded of a task's data as a whole."""

from __future__ import annotations

from domain.data_params import DataParams
from domain.events.data import DataUploaded
from domain.frames import Selection, default_chunk_size
from domain.task import Task


def uploaded(
    task: Task, params: DataParams, selection: Selection, width: int, height: int, *, video: bool = False
) -> DataUploaded:
    """`width` and `height`: of the first frame, in pixels. Raises MediaError when the image quality is missing."""
    zipped = params.use_zip_chunks or not video
    return DataUploaded(
        task_id=task.task_id,
        project_id=task.project_id,
        size=selection.size,
        image_quality=params.required_image_quality(),
        chunk_size=params.chunk_size or default_chunk_size(width, height, video=not zipped),
        start_frame=selection.start,
        stop_frame=selection.stop,
        frame_filter=params.frame_filter,
        sorting_method=params.sorting_method,
        media_type="image",
        mode="interpolation" if video else "annotation",
        dimension="2d",
        original_chunk_type="video" if video else "imageset",
        compressed_chunk_type="imageset" if zipped else "video",
        params=params.recorded(),
    )
