"""How a task gets its data: files come in, a request is queued, an agent turns files into frames and jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any

from domain.edits import differences
from domain.errors import Invalid
from domain.event import Body, Context
from domain.events.data import (
    MAX_FRAMES,
    DataUploaded,
    FilesReceived,
    Frame,
    FramesAdded,
    FramesDeleted,
    FramesRestored,
    JobsSplit,
    ReceivedFile,
    RelatedImage,
    RelatedImagesAdded,
    UploadStarted,
    VideoAdded,
)
from domain.events.job import JobCreated
from domain.events.request import RequestQueued
from domain.ground_truth import planned
from domain.ports import Log
from domain.request import Requests, request_id
from domain.retry import decide_again
from domain.sorting import order_as_given
from domain.task import Task, Tasks

if TYPE_CHECKING:
    from domain.splitting import Split
    from domain.validation.setup import Plan


@dataclass(frozen=True)
class TaskData:
    """What decisions need to know of a task's data. `size`: its frames, of which some may be deleted."""

    received: tuple[ReceivedFile, ...] = ()
    uploaded: bool = False
    size: int = 0
    deleted_frames: tuple[int, ...] = ()


def evolve(data: TaskData, body: Body) -> TaskData:
    if isinstance(body, UploadStarted):
        return TaskData(uploaded=data.uploaded)
    if isinstance(body, FilesReceived):
        return replace(data, received=(*data.received, *body.files))
    if isinstance(body, DataUploaded):
        return TaskData(uploaded=True, size=body.size)
    if isinstance(body, FramesDeleted | FramesRestored):
        return replace(data, deleted_frames=tuple(body.deleted_frames))
    return data


def unique_names(files: list[ReceivedFile], taken: frozenset[str]) -> list[ReceivedFile]:
    """Files of one name are told apart as CVAT does: `a.jpg`, `a_1.jpg`, `a_2.jpg`."""
    names = set(taken)
    result = []
    for file in files:
        name, number = file["name"], 0
        stem, dot, extension = name.rpartition(".")
        while name in names:
            number += 1
            name = f"{stem}_{number}.{extension}" if dot else f"{extension}_{number}"
        names.add(name)
        result.append(ReceivedFile(name=name, sha256=file["sha256"], size=file["size"]))
    return result


@dataclass(frozen=True)
class Prepared:
    """What an agent made of the files: `frames` that are pictures, or those of a `video`; how they are cut into jobs;
    and what is shown beside them.
    """

    uploaded: DataUploaded
    split: Split
    frames: Sequence[Frame] = ()
    video: VideoAdded | None = None
    related: Sequence[RelatedImage] = ()
    validation: Plan | None = None


@dataclass(frozen=True)
class Openness:
    """A task that waits for data, as a decision found it. `versions`: of the streams that must not move meanwhile."""

    data: TaskData
    versions: dict[str, int]

    @property
    def names(self) -> frozenset[str]:
        return frozenset(file["name"] for file in self.data.received)


def creation_id(task_id: int) -> str:
    """The id of the request that makes a task's frames and jobs."""
    return request_id(action="create", target="task", target_id=task_id)


class Data:
    """The use cases of a task's data."""

    def __init__(self, log: Log) -> None:
        self._log = log
        self._tasks, self._requests = Tasks(log), Requests(log)

    def check_open(self, task_id: int) -> None:
        """Whether the task waits for data. Raises NotFound, RequestInProgress, Invalid when it has data already."""
        self._open(task_id)

    @decide_again
    def start_upload(self, context: Context, task_id: int) -> None:
        """What an earlier attempt sent is set aside. Raises as `check_open`."""
        now = self._open(task_id)
        if now.data.received:
            self._log.record(context, [UploadStarted(task_id)], now.versions)

    @decide_again
    def receive(self, context: Context, task_id: int, files: list[ReceivedFile]) -> None:
        """Files are on disk. Raises as `check_open`."""
        now = self._open(task_id)
        if files:
            self._log.record(context, [FilesReceived(task_id, unique_names(files, now.names))], now.versions)

    @decide_again
    def submit(self, context: Context, task_id: int, params: dict[str, Any], files: list[ReceivedFile]) -> str:
        """Queues the making of frames and jobs; `files` came with this very call. Returns the request's id.
        Raises as `check_open`, and Invalid when an `upload_file_order` does not name the files that were sent.
        """
        now = self._open(task_id)
        task, _ = self._tasks.require(task_id)
        queued = RequestQueued(
            request_id=creation_id(task_id),
            queue="import",
            action="create",
            target="task",
            subresource="",
            owner_id=context.actor.user_id,
            owner=context.actor.username,
            project_id=task.project_id,
            task_id=task_id,
            job_id=None,
            params=params,
        )
        named = unique_names(files, now.names)
        if order := params.get("upload_file_order"):
            order_as_given([file["name"] for file in (*now.data.received, *named)], order)
        bodies: list[Body] = [FilesReceived(task_id, named), queued] if named else [queued]
        self._log.record(context, bodies, now.versions)
        return queued.request_id

    def received(self, task_id: int) -> list[ReceivedFile]:
        """What the request that is being processed has to work with. Raises Invalid when the task has data already."""
        data, _ = self._data(task_id)
        return list(data.received)

    def task(self, task_id: int) -> Task:
        """Raises NotFound."""
        task, _ = self._tasks.require(task_id)
        return task

    def prepared(self, task: Task, prepared: Prepared) -> list[Body]:
        """The events that give the task its frames and jobs. Ids are allocated here."""
        split, jobs = prepared.split, self._jobs(task, prepared.split)
        prepared = replace(prepared, uploaded=replace(prepared.uploaded, changes=_settled(task, prepared)))
        bodies = [*_media(prepared), JobsSplit(task.task_id, split.segment_size, split.overlap, len(jobs)), *jobs]
        if prepared.validation is not None:
            bodies += planned(self._log.ids, task, prepared.uploaded.size, prepared.frames, prepared.validation)
        return bodies

    def _jobs(self, task: Task, split: Split) -> list[JobCreated]:
        """A job per segment, each followed by its replicas."""
        segment_ids = self._log.ids.many("segment", len(split.segments))
        job_ids = iter(self._log.ids.many("job", len(split.segments) * (1 + task.consensus_replicas)))
        of_task = (task.task_id, task.project_id)
        jobs = []
        for segment_id, (start, stop) in zip(segment_ids, split.segments, strict=True):
            job = JobCreated(
                next(job_ids), *of_task, segment_id, "annotation", start, stop, None, "annotation", "new", None
            )
            replicas = islice(job_ids, task.consensus_replicas)
            jobs += [job, *(replace(job, job_id=each, type="replica", parent_job_id=job.job_id) for each in replicas)]
        return jobs

    def _open(self, task_id: int) -> Openness:
        self._tasks.require(task_id)
        request_version = self._requests.free(creation_id(task_id))
        data, version = self._data(task_id)
        return Openness(data, {f"data-{task_id}": version, f"request-{creation_id(task_id)}": request_version})

    def _data(self, task_id: int) -> tuple[TaskData, int]:
        data, version = self._log.load(f"data-{task_id}", evolve, TaskData())
        if data.uploaded:
            raise Invalid(["Adding more data is not allowed for a task that has data already"])
        return data, version


def _settled(task: Task, prepared: Prepared) -> dict[str, dict[str, Any]]:
    """What becomes of the fields of a task that has had no data."""
    before = {"mode": "", "dimension": "", "segment_size": task.segment_size, "overlap": task.overlap}
    uploaded, split = prepared.uploaded, prepared.split
    after = {"mode": uploaded.mode, "dimension": uploaded.dimension}
    return differences(before, after | {"segment_size": split.segment_size, "overlap": split.overlap})


def _media(prepared: Prepared) -> list[Body]:
    bodies: list[Body] = [prepared.uploaded]
    task_id, frames, related = prepared.uploaded.task_id, prepared.frames, prepared.related
    if prepared.video is not None:
        bodies.append(prepared.video)
    starts = range(0, len(frames), MAX_FRAMES)
    bodies += [FramesAdded(task_id, first, list(frames[first : first + MAX_FRAMES])) for first in starts]
    starts = range(0, len(related), MAX_FRAMES)
    bodies += [RelatedImagesAdded(task_id, list(related[first : first + MAX_FRAMES])) for first in starts]
    return bodies
