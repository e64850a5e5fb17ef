"""Frames that are not to be annotated. They keep their numbers, and what was drawn on them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from domain.data import TaskData, evolve
from domain.errors import Invalid, NotFound
from domain.event import Body, Context
from domain.events.data import FramesDeleted, FramesRestored
from domain.ports import Log
from domain.retry import decide_again
from domain.sorting import listed
from domain.task import Tasks


@dataclass(frozen=True)
class Part:
    """The frames of a task, or of one of its jobs, that are to be chosen from; `deleted` are now, of the whole task."""

    task_id: int
    project_id: int | None
    job_id: int | None
    frames: Collection[int]
    deleted: Collection[int]


def change(part: Part, wanted: Sequence[int]) -> list[Body]:
    """Of the part's frames exactly the `wanted` shall be deleted. Raises Invalid for frames that aren't there, or named
    twice.
    """
    _check(part, wanted)
    now, target = frozenset(part.deleted), frozenset(wanted)
    added, removed = target - now, {frame for frame in now - target if frame in part.frames}
    place = (part.task_id, part.project_id, part.job_id)
    bodies: list[Body] = []
    if added:
        bodies.append(FramesDeleted(*place, sorted(added), sorted(now | added)))
    if removed:
        bodies.append(FramesRestored(*place, sorted(removed), sorted((now | added) - removed)))
    return bodies


class DeletedFrames:
    """The use case of deleting frames and bringing them back."""

    def __init__(self, log: Log) -> None:
        self._log, self._tasks = log, Tasks(log)

    @decide_again
    def replace(self, context: Context, task_id: int, wanted: Sequence[int]) -> None:
        """Exactly the `wanted` frames of a task are deleted from now on. Raises NotFound, also without data; Invalid
        for frames that aren't there, or named twice.
        """
        task, task_version = self._tasks.require(task_id)
        data, versions = self._data(task_id)
        part = Part(task_id, task.project_id, None, range(data.size), data.deleted_frames)
        self._record(context, change(part, wanted), versions | {f"task-{task_id}": task_version})

    @decide_again
    def replace_in_job(self, context: Context, job_id: int, wanted: Sequence[int]) -> None:
        """As `replace`, for those frames that a job has; others stay as they are."""
        job = self._log.lookup.job_place(job_id, fresh=True)
        data, versions = self._data(job.task_id)
        frames: Collection[int] = range(job.start_frame, job.stop_frame + 1)
        if job.type == "ground_truth":
            frames = frozenset(self._log.lookup.validation(job.task_id).frames)
        part = Part(job.task_id, job.project_id, job_id, frames, data.deleted_frames)
        self._record(context, change(part, wanted), versions | dict(job.versions))

    def _data(self, task_id: int) -> tuple[TaskData, dict[str, int]]:
        stream = f"data-{task_id}"
        data, version = self._log.load(stream, evolve, TaskData())
        if not data.uploaded:
            raise NotFound
        return data, {stream: version}

    def _record(self, context: Context, bodies: list[Body], versions: dict[str, int]) -> None:
        if bodies:
            self._log.record(context, bodies, versions)


def _check(part: Part, wanted: Sequence[int]) -> None:
    if len(set(wanted)) < len(wanted):
        raise Invalid({"deleted_frames": ["Frames must not be repeated."]})
    if unknown := [str(frame) for frame in wanted if frame not in part.frames]:
        raise Invalid({"deleted_frames": [f"There are no such frames here: {listed(unknown)}"]})
