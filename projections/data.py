"""The data of tasks: what it was made with, and its frames. That of a deleted task stays, unseen, until it is
purged: with the task it comes back.
"""

from __future__ import annotations

from domain.event import Event
from domain.events.data import DataUploaded, FramesAdded
from domain.events.task import TaskPurged
from projections.changes import Changes, Table
from projections.projection import Projection

DATA = Table("data", ("task_id",))
FRAMES = Table("frames", ("task_id", "number"), groups=("task_id",))

projection = Projection("data", 2, (DATA, FRAMES))


@projection.on(DataUploaded)
def uploaded(body: DataUploaded, event: Event, changes: Changes) -> None:
    changes.insert(
        DATA,
        {
            "task_id": body.task_id,
            "size": body.size,
            "image_quality": body.image_quality,
            "chunk_size": body.chunk_size,
            "start_frame": body.start_frame,
            "stop_frame": body.stop_frame,
            "frame_filter": body.frame_filter,
            "sorting_method": body.sorting_method,
            "deleted_frames": [],
            "updated_date": event.meta.time,
        },
    )


@projection.on(FramesAdded)
def frames_added(body: FramesAdded, event: Event, changes: Changes) -> None:
    for number, frame in enumerate(body.frames, body.first):
        changes.insert(FRAMES, {"task_id": body.task_id, "number": number, **frame})


@projection.on(TaskPurged)
def purged(body: TaskPurged, event: Event, changes: Changes) -> None:
    changes.delete(DATA, body.task_id)
    changes.delete_group(FRAMES, "task_id", body.task_id)
