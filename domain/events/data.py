"""How a task gets its data. Stream: `data-<task id>`, apart from the task's own, which stays short."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, TypedDict

from domain.event import Body, event_type, upcaster


class ReceivedFile(TypedDict):
    """A file as it came in: its base name, its bytes' SHA-256 (the blob), its size in bytes."""

    name: str
    sha256: str
    size: int


class Frame(TypedDict):
    """One frame of a task, in frame order. Width and height in pixels, after EXIF rotation."""

    name: str
    sha256: str
    size: int
    width: int
    height: int


class RelatedImage(TypedDict):
    """A picture that is shown beside frame `frame`, numbered within the task: its name there, its blob and size."""

    frame: int
    name: str
    sha256: str
    size: int


class DataBody(Body):
    __slots__ = ()
    task_id: int

    @property
    def stream(self) -> str:
        return f"data-{self.task_id}"


MAX_FRAMES = 10_000
"""An event holds at most this many frames; a larger set is several events, appended together."""


@event_type("UploadStarted")
@dataclass(frozen=True)
class UploadStarted(DataBody):
    """A client began to send files; what an earlier attempt had sent is set aside."""

    task_id: int


@event_type("FilesReceived")
@dataclass(frozen=True)
class FilesReceived(DataBody):
    """Files arrived whole and are on disk."""

    task_id: int
    files: list[ReceivedFile]


@event_type("DataUploaded", version=2)
@dataclass(frozen=True)
class DataUploaded(DataBody):
    """The task has its data: checked, sorted and selected. `start_frame` and `stop_frame` are absolute (before
    selection), `size` counts the selected frames, which follow as `FramesAdded`. `image_quality` is the JPEG quality
    (1..100) of compressed chunks, `chunk_size` their number of frames. `changes`: what becomes of the task's fields by
    all this and by being cut into jobs: field → {"from": old, "to": new}.
    """

    task_id: int
    project_id: int | None
    size: int
    image_quality: int
    chunk_size: int
    start_frame: int
    stop_frame: int
    frame_filter: str
    sorting_method: str
    media_type: str
    mode: str
    dimension: str
    original_chunk_type: str
    compressed_chunk_type: str
    params: dict[str, Any]
    changes: dict[str, dict[str, Any]] = field(default_factory=dict)


@upcaster("DataUploaded", 1)
def _with_changes(fields: dict[str, Any]) -> dict[str, Any]:
    """Version 1 did not say what it changed."""
    return {**fields, "changes": {}}


@event_type("FramesAdded")
@dataclass(frozen=True)
class FramesAdded(DataBody):
    """A run of the task's frames; `first` is the task-relative number of the first one."""

    task_id: int
    first: int
    frames: list[Frame]


@event_type("VideoAdded")
@dataclass(frozen=True)
class VideoAdded(DataBody):
    """The task's frames are those of a video. `index` tells where each of its `frame_count` frames is; these are
    counted before selection. Width and height in pixels, after rotation.
    """

    task_id: int
    video: ReceivedFile
    index: ReceivedFile
    width: int
    height: int
    frame_count: int


@event_type("RelatedImagesAdded")
@dataclass(frozen=True)
class RelatedImagesAdded(DataBody):
    """Pictures that annotators see beside frames of the task."""

    task_id: int
    images: list[RelatedImage]


@event_type("FramesDeleted")
@dataclass(frozen=True)
class FramesDeleted(DataBody):
    """`frames` are no longer to be annotated: nobody is shown them, but they and what was drawn on them stay, and can
    come back. `deleted_frames`: all that are deleted now. `job_id`: the job in which that was done, or None.
    """

    task_id: int
    project_id: int | None
    job_id: int | None
    frames: list[int]
    deleted_frames: list[int]


@event_type("FramesRestored")
@dataclass(frozen=True)
class FramesRestored(DataBody):
    """Deleted `frames` are to be annotated again; the rest as for `FramesDeleted`."""

    task_id: int
    project_id: int | None
    job_id: int | None
    frames: list[int]
    deleted_frames: list[int]


@event_type("JobsSplit")
@dataclass(frozen=True)
class JobsSplit(DataBody):
    """The frames were cut into jobs (each has its own `JobCreated`). The sizes are the effective ones, in frames."""

    task_id: int
    segment_size: int
    overlap: int
    job_count: int


NAMING_BLOBS: Mapping[str, tuple[str, ...]] = {
    FilesReceived.type_name: ("files",),
    FramesAdded.type_name: ("frames",),
    VideoAdded.type_name: ("video", "index"),
    RelatedImagesAdded.type_name: ("images",),
}
"""Event type → the fields that name blobs."""


def named_blobs(type_name: str, fields: Mapping[str, Any]) -> list[Any]:
    """What has a name, a blob and a size in the fields of an event; nothing for other events."""
    values = [fields[name] for name in NAMING_BLOBS.get(type_name, ())]
    return [item for value in values for item in (value if isinstance(value, list) else [value])]
