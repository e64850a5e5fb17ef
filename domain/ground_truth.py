"""Ground truth: the frames of a task whose true annotations are known, drawn in a job of their own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from domain.errors import Invalid
from domain.event import Body, Context
from domain.events.data import MAX_FRAMES, Frame
from domain.events.job import JobCreated
from domain.events.validation import Honeypot, HoneypotsPlaced, ValidationSetUp
from domain.job import known_username
from domain.ports import Ids, Log
from domain.retry import decide_again
from domain.task import Task, Tasks
from domain.validation.selection import Sampling, pick
from domain.validation.setup import Plan

NO_DATA = "This task has no data attached yet. Please set up task data and try again"
ONLY_ONE = 'Task with validation mode "{}" cannot have more than 1 GT job'


def set_up(ids: Ids, task: Task, size: int, plan: Plan, assignee_id: int | None = None) -> tuple[JobCreated, Body]:
    """The events of a new ground truth job; `size`: the number of the task's frames."""
    job = JobCreated(
        job_id=ids.one("job"),
        task_id=task.task_id,
        project_id=task.project_id,
        segment_id=ids.one("segment"),
        type="ground_truth",
        start_frame=0,
        stop_frame=size - 1,
        assignee_id=assignee_id,
        stage="annotation",
        state="new",
        parent_job_id=None,
    )
    ids_of_task = (task.task_id, task.project_id)
    return job, ValidationSetUp(*ids_of_task, job.job_id, plan.mode, plan.frames, plan.frames_per_job_count)


def placed(task: Task, honeypots: Iterable[tuple[int, int, Frame]]) -> list[Body]:
    """The events that put honeypots in their places: frame, the frame that it shows, and its picture."""
    placed = [Honeypot(frame=frame, real_frame=real, picture=picture) for frame, real, picture in honeypots]
    return [
        HoneypotsPlaced(task.task_id, task.project_id, placed[first : first + MAX_FRAMES])
        for first in range(0, len(placed), MAX_FRAMES)
    ]


def planned(ids: Ids, task: Task, size: int, pictures: Sequence[Frame], plan: Plan) -> list[Body]:
    """The events with which work on a task is checked from its beginning. `pictures`: of its frames, if it is no
    video, which has no honeypots.
    """
    honeypots = ((frame, real, pictures[real]) for frame, real in plan.honeypots.items())
    return [*set_up(ids, task, size, plan), *placed(task, honeypots)]


class GroundTruth:
    """The use case of adding ground truth to a task that has data. Its job is deleted like any other."""

    def __init__(self, log: Log) -> None:
        self._log, self._tasks = log, Tasks(log)

    @decide_again
    def create(self, context: Context, task_id: int, how: Sampling, assignee_id: int | None = None) -> int:
        """Returns the job's id. Raises NotFound; Invalid, also when the task has such a job."""
        known_username(self._log, "assignee", assignee_id)
        task, version = self._tasks.require(task_id)
        frames = self._log.lookup.selectable(task_id)
        if frames is None:
            raise Invalid([NO_DATA])
        validation = self._log.lookup.validation(task_id)
        if validation.job_id is not None:
            raise Invalid([ONLY_ONE.format(validation.mode)])
        plan = Plan("gt", pick(frames, how))
        job, setting_up = set_up(self._log.ids, task, frames.size, plan, assignee_id)
        self._log.record(context, [job, setting_up], {f"task-{task_id}": version, **validation.versions})
        return job.job_id
