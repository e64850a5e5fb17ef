"""A video, looked through once."""

from __future__ import annotations

from consumers.handlers.create_task.layout import split_video
from consumers.handlers.create_task.sources import Files
from consumers.handlers.create_task.uploaded import uploaded
from consumers.handlers.handler import Tools
from domain.data import Prepared
from domain.data_params import DataParams
from domain.events.data import ReceivedFile, VideoAdded
from domain.frames import select_frames
from domain.task import Task
from infra.media.images import Frame, Limits
from infra.media.video.apart import probe_apart
from infra.media.video.opening import VideoLimits
from infra.media.video.probe import VideoInfo


def prepare_video(tools: Tools, task: Task, params: DataParams, files: Files) -> Prepared:
    """Raises MediaError, Invalid."""
    name = files.media.video
    assert name is not None
    file = files.source.fetch([name])[name]
    info = probe_apart(Frame(tools.blobs.path(file["sha256"]), file["name"]), _limits(tools))
    selection = select_frames(info.frames, params.start_frame or 0, params.stop_frame, params.frame_step, video=True)
    split = split_video(task, selection.size, tools.settings.max_jobs_per_task)
    recorded = uploaded(task, params, selection, info.width, info.height, video=True)
    return Prepared(recorded, split, video=_added(tools, task, file, info))


def _limits(tools: Tools) -> VideoLimits:
    settings = tools.settings
    return VideoLimits(Limits(pixels=settings.max_video_pixels), settings.max_video_decoding_seconds)


def _added(tools: Tools, task: Task, file: ReceivedFile, info: VideoInfo) -> VideoAdded:
    blob = tools.blobs.put([info.index.dump()])
    index = ReceivedFile(name=f"{file['name']}.index", sha256=blob.sha256, size=blob.size)
    return VideoAdded(task.task_id, file, index, info.width, info.height, info.frames)
