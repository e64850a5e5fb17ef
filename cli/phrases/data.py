"""What happened to the data of tasks, in words."""

from __future__ import annotations

from cli.phrases.words import counted, frames, phrase, some
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


@phrase(UploadStarted)
def _(body: UploadStarted) -> str:
    return f"began to send files for task {body.task_id} anew"


@phrase(FilesReceived)
def _(body: FilesReceived) -> str:
    size = sum(file["size"] for file in body.files) / 1e6
    names = some([file["name"] for file in body.files])
    return f"sent {counted(len(body.files), 'file')} ({size:,.1f} MB) for task {body.task_id}: {names}"


@phrase(DataUploaded)
def _(body: DataUploaded) -> str:
    return f"prepared the data of task {body.task_id}: {counted(body.size, 'frame')}"


@phrase(FramesAdded)
def _(body: FramesAdded) -> str:
    return f"put {frames(body.first, body.first + len(body.frames) - 1)} into task {body.task_id}"


@phrase(VideoAdded)
def _(body: VideoAdded) -> str:
    return f"put a video of {counted(body.frame_count, 'frame')} into task {body.task_id}: {body.video['name']}"


@phrase(RelatedImagesAdded)
def _(body: RelatedImagesAdded) -> str:
    return f"put {counted(len(body.images), 'image')} beside frames of task {body.task_id}"


@phrase(FramesDeleted)
def _(body: FramesDeleted) -> str:
    return f"deleted {counted(len(body.frames), 'frame')} of {_part(body)}"


@phrase(FramesRestored)
def _(body: FramesRestored) -> str:
    return f"restored {counted(len(body.frames), 'frame')} of {_part(body)}"


@phrase(JobsSplit)
def _(body: JobsSplit) -> str:
    return f"split task {body.task_id} into {counted(body.job_count, 'job')}"


def _part(body: FramesDeleted | FramesRestored) -> str:
    return f"task {body.task_id}" if body.job_id is None else f"job {body.job_id}"
