"""Data: CVAT has no scopes for it; these are our own."""

from __future__ import annotations

from collections.abc import Iterator

from consumers.forwarder.transform.row import Row, countable, described, field_updates, transforms
from domain.events.data import (
    DataUploaded,
    FilesReceived,
    FramesAdded,
    FramesDeleted,
    FramesRestored,
    JobsSplit,
    RelatedImagesAdded,
    UploadStarted,
    VideoAdded,
)


@transforms(UploadStarted)
def upload_started(body: UploadStarted) -> list[Row]:
    return [Row("start:upload", obj_id=body.task_id)]


@transforms(FilesReceived)
def files_received(body: FilesReceived) -> list[Row]:
    """`count`: files; `payload.size`: their bytes."""
    number, size = len(body.files), sum(file["size"] for file in body.files)
    return [Row("upload:files", amount=countable(number), payload={"files": number, "size": size})]


@transforms(DataUploaded)
def data_uploaded(body: DataUploaded) -> Iterator[Row]:
    """`count`: frames. Behind it, what CVAT has of an upload: the fields of the task that are another now."""
    fields = (
        "size",
        "image_quality",
        "chunk_size",
        "start_frame",
        "stop_frame",
        "frame_filter",
        "sorting_method",
        "media_type",
        "mode",
        "dimension",
    )
    yield Row("upload:data", obj_id=body.task_id, amount=countable(body.size), payload=described(body, *fields))
    yield from field_updates("update:task", body.changes)


@transforms(FramesAdded)
def frames_added(body: FramesAdded) -> list[Row]:
    """`count`: frames; `payload.size`: bytes of their images."""
    number, size = len(body.frames), sum(frame["size"] for frame in body.frames)
    return [
        Row("create:frames", amount=countable(number), payload={"first": body.first, "frames": number, "size": size})
    ]


@transforms(VideoAdded)
def video_added(body: VideoAdded) -> list[Row]:
    """`count`: frames of the whole video; `payload.size`: its bytes."""
    payload = described(body, "width", "height", "frame_count") | {"size": body.video["size"]}
    return [Row("create:video", amount=countable(body.frame_count), payload=payload)]


@transforms(RelatedImagesAdded)
def related_images_added(body: RelatedImagesAdded) -> list[Row]:
    """`count`: images; `payload.size`: their bytes."""
    number, size = len(body.images), sum(image["size"] for image in body.images)
    return [Row("create:related_images", amount=countable(number), payload={"images": number, "size": size})]


@transforms(FramesDeleted)
def frames_deleted(body: FramesDeleted) -> list[Row]:
    """`count`: frames."""
    return [Row("delete:frames", amount=countable(len(body.frames)), payload=described(body, "frames"))]


@transforms(FramesRestored)
def frames_restored(body: FramesRestored) -> list[Row]:
    """`count`: frames."""
    return [Row("restore:frames", amount=countable(len(body.frames)), payload=described(body, "frames"))]


@transforms(JobsSplit)
def jobs_split(body: JobsSplit) -> list[Row]:
    """`count`: jobs."""
    payload = described(body, "segment_size", "overlap", "job_count")
    return [Row("split:jobs", amount=countable(body.job_count), payload=payload)]
