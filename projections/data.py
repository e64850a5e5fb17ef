"""The data of tasks: what it was made with, and its frames. That of a deleted task stays, unseen, until it is
purged: with the task it comes back.
"""

from __future__ import annotations

from domain.event import Event
from domain.events.data import (
    DataUploaded,
    FramesAdded,
    FramesDeleted,
    FramesRestored,
    RelatedImagesAdded,
    VideoAdded,
)
from domain.events.task import TaskPurged
from domain.events.validation import HoneypotsPlaced
from projections.changes import Changes, Table
from projections.projection import Projection

DATA = Table("data", ("task_id",))
FRAMES = Table("frames", ("task_id", "number"), groups=("task_id",))
VIDEOS = Table("videos", ("task_id",))
RELATED_IMAGES = Table("related_images", ("task_id", "frame", "name"), groups=("task_id",))

projection = Projection("data", 3, (DATA, FRAMES, VIDEOS, RELATED_IMAGES))


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
        changes.insert(FRAMES, {"task_id": body.task_id, "number": number, **frame, "related_files": 0})


@projection.on(VideoAdded)
def video_added(body: VideoAdded, event: Event, changes: Changes) -> None:
    changes.insert(
        VIDEOS,
        {
            "task_id": body.task_id,
            "name": body.video["name"],
            "sha256": body.video["sha256"],
            "index_sha256": body.index["sha256"],
            "width": body.width,
            "height": body.height,
        },
    )


@projection.on(RelatedImagesAdded)
def related_images_added(body: RelatedImagesAdded, event: Event, changes: Changes) -> None:
    for image in body.images:
        frame, name, sha256 = image["frame"], image["name"], image["sha256"]
        changes.insert(RELATED_IMAGES, {"task_id": body.task_id, "frame": frame, "name": name, "sha256": sha256})
        changes.add(FRAMES, body.task_id, frame, related_files=1)


@projection.on(FramesDeleted, FramesRestored)
def deleted_frames_changed(body: FramesDeleted | FramesRestored, event: Event, changes: Changes) -> None:
    changes.update(DATA, body.task_id, deleted_frames=body.deleted_frames)


@projection.on(HoneypotsPlaced)
def honeypots_placed(body: HoneypotsPlaced, event: Event, changes: Changes) -> None:
    for honeypot in body.honeypots:
        changes.update(FRAMES, body.task_id, honeypot["frame"], **honeypot["picture"])
    changes.update(DATA, body.task_id, updated_date=event.meta.time)


@projection.on(TaskPurged)
def purged(body: TaskPurged, event: Event, changes: Changes) -> None:
    changes.delete(DATA, body.task_id)
    changes.delete_group(FRAMES, "task_id", body.task_id)
    changes.delete(VIDEOS, body.task_id)
    changes.delete_group(RELATED_IMAGES, "task_id", body.task_id)
