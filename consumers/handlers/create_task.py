"""Makes frames and jobs of the files that were sent for a task."""

from __future__ import annotations

import mimetypes
from collections.abc import Sequence
from random import SystemRandom

from consumers.handlers.handler import Outcome, Tools
from domain.data import Prepared
from domain.data_params import DataParams, check_job_file_mapping, parse_data_params
from domain.errors import MediaError, NotFound
from domain.events.data import DataUploaded, Frame, ReceivedFile
from domain.frames import Selection, default_chunk_size, select_frames
from domain.request import Request
from domain.sorting import order_by_jobs, sort_names
from domain.splitting import NO_MEDIA, Split, split_by_files, split_evenly
from domain.task import Task
from infra.blobs import BlobStore
from infra.media import images

ARCHIVES = frozenset(
    {"application/zip", "application/x-tar", "application/x-rar-compressed", "application/x-7z-compressed"}
)


def create_task(tools: Tools, request: Request) -> Outcome:
    """Checks, sorts and selects the images, and cuts them into jobs. Raises MediaError, Invalid, NotFound."""
    assert request.queued.task_id is not None
    data = tools.app.data
    task, version = _task(tools, request.queued.task_id)
    params = parse_data_params(request.queued.params)
    files = {file["name"]: file for file in data.received(task.task_id)}
    _check_kinds(list(files))
    check_job_file_mapping(params, task.segment_size)
    quality = params.required_image_quality()
    names = _in_order(list(files), params)
    selection = select_frames(len(names), params.start_frame or 0, params.stop_frame, params.frame_step, video=False)
    selected = [files[names[number]] for number in selection.numbers]
    limits = images.Limits(pixels=tools.settings.max_image_pixels)
    split = _split(task, params, selection.size, tools.settings.max_jobs_per_task)
    frames = _probe(tools.blobs, selected, limits)
    chunk_size = params.chunk_size or default_chunk_size(frames[0]["width"], frames[0]["height"])
    uploaded = _uploaded(task, params, selection, quality, chunk_size)
    events = data.prepared(task, Prepared(frames, split, uploaded))
    # The task may be deleted meanwhile, or be given to another project.
    return Outcome(events, expect={f"task-{task.task_id}": version})


def _task(tools: Tools, task_id: int) -> tuple[Task, int]:
    try:
        return tools.app.tasks.require(task_id)
    except NotFound:
        raise NotFound(f"Task {task_id} was deleted") from None


def _check_kinds(names: Sequence[str]) -> None:
    """Raises MediaError when there is nothing, or something other than images."""
    if not names:
        raise MediaError(NO_MEDIA)
    for name in names:
        kind = mimetypes.guess_type(name)[0] or ""
        if kind.startswith("video/"):
            raise MediaError(f"{name} is a video; this server takes only images so far")
        if kind in ARCHIVES:
            raise MediaError(f"{name} is an archive; this server takes only images so far")


def _in_order(names: Sequence[str], params: DataParams) -> list[str]:
    if params.job_file_mapping is not None:
        return order_by_jobs(names, params.job_file_mapping)
    return sort_names(names, params.sorting_method, rng=SystemRandom(), order=params.upload_file_order)


def _split(task: Task, params: DataParams, size: int, max_jobs: int) -> Split:
    replicas = task.consensus_replicas
    if params.job_file_mapping is not None:
        return split_by_files(params.job_file_mapping, replicas=replicas, max_jobs=max_jobs)
    return split_evenly(size, task.segment_size, task.overlap, replicas=replicas, max_jobs=max_jobs)


def _probe(blobs: BlobStore, files: Sequence[ReceivedFile], limits: images.Limits) -> list[Frame]:
    """The files as frames, each opened and checked. Raises MediaError, naming the first file that isn't in order."""
    pictures = [images.Frame(blobs.path(file["sha256"]), file["name"]) for file in files]
    return [
        Frame(name=file["name"], sha256=file["sha256"], size=file["size"], width=info.width, height=info.height)
        for file, info in zip(files, images.probe_all(pictures, limits), strict=True)
    ]


def _uploaded(task: Task, params: DataParams, selection: Selection, quality: int, chunk_size: int) -> DataUploaded:
    return DataUploaded(
        task_id=task.task_id,
        project_id=task.project_id,
        size=selection.size,
        image_quality=quality,
        chunk_size=chunk_size,
        start_frame=selection.start,
        stop_frame=selection.stop,
        frame_filter=params.frame_filter,
        sorting_method=params.sorting_method,
        media_type="image",
        mode="annotation",
        dimension="2d",
        original_chunk_type="imageset",
        compressed_chunk_type="imageset",
        params=params.recorded(),
    )
