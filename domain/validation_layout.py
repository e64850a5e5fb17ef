"""How a task's annotators are checked, once that is set up: which frames count, and what honeypots show."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Literal

from domain.errors import Invalid
from domain.event import Body, Context
from domain.events.validation import ValidationFramesDisabled
from domain.ground_truth import placed
from domain.ports import Log, Validation
from domain.retry import decide_again
from domain.sorting import listed
from domain.splitting import Segment
from domain.task import Task, Tasks
from domain.validation.honeypots import BalancedDraw
from domain.validation.selection import Unpickable, generator

NO_VALIDATION = "Task has no validation setup configured. Validation must be initialized during task creation"
NO_HONEYPOTS = "Honeypots can only be changed in tasks with honeypots"


@dataclass(frozen=True, slots=True)
class Redraw:
    """What honeypots are to show: `real_frames`, in the order of the honeypots, or what chance says."""

    method: Literal["manual", "random_uniform"]
    seed: int
    real_frames: Sequence[int] = ()


class ValidationLayouts:
    """The use cases of changing how a task is checked."""

    def __init__(self, log: Log) -> None:
        self._log, self._tasks = log, Tasks(log)

    @decide_again
    def change(
        self, context: Context, task_id: int, disabled: Collection[int] | None = None, redraw: Redraw | None = None
    ) -> None:
        """`disabled`: the validation frames that no longer count, all of them; `redraw`: of all honeypots of the task.
        None: as it is. Raises NotFound, Invalid.
        """
        task, version = self._tasks.require(task_id)
        now = self._log.lookup.validation(task_id)
        if now.job_id is None:
            raise Invalid([NO_VALIDATION])
        bodies: list[Body] = []
        if disabled is not None:
            bodies += disable(task, now, disabled)
        if redraw is not None:
            active = active_frames(now, now.disabled if disabled is None else disabled)
            bodies += self._redrawn(task, now, self._segments(task_id), active, redraw)
        self._record(context, bodies, task, version, now)

    @decide_again
    def change_in_job(self, context: Context, job_id: int, redraw: Redraw) -> None:
        """As `change`, for the honeypots of one job. Raises NotFound, Invalid."""
        job = self._log.lookup.job_place(job_id, fresh=True)
        task, version = self._tasks.require(job.task_id)
        now = self._log.lookup.validation(job.task_id)
        if job.type == "ground_truth":
            raise Invalid(["A ground truth job has no honeypots"])
        segment = Segment(job.start_frame, job.stop_frame)
        bodies = self._redrawn(task, now, [segment], active_frames(now, now.disabled), redraw)
        self._record(context, bodies, task, version, now)

    def _redrawn(
        self, task: Task, now: Validation, segments: Sequence[Segment], active: Sequence[int], redraw: Redraw
    ) -> list[Body]:
        shown = drawn(now, segments, active, redraw)
        changed = {frame: real for frame, real in shown.items() if now.honeypots[frame] != real}
        pictures = self._log.lookup.pictures(task.task_id, sorted(set(changed.values())))
        return placed(task, ((frame, real, pictures[real]) for frame, real in changed.items()))

    def _segments(self, task_id: int) -> Sequence[Segment]:
        frames = self._log.lookup.selectable(task_id)
        return frames.segments if frames else ()

    def _record(self, context: Context, bodies: list[Body], task: Task, version: int, now: Validation) -> None:
        if bodies:
            self._log.record(context, bodies, {f"task-{task.task_id}": version, **now.versions})


def active_frames(now: Validation, disabled: Collection[int]) -> list[int]:
    """The validation frames that count."""
    without = frozenset(disabled)
    return [frame for frame in now.frames if frame not in without]


def disable(task: Task, now: Validation, disabled: Collection[int]) -> list[Body]:
    """Raises Invalid for a frame that is not one of the validation frames."""
    if unknown := [str(frame) for frame in sorted(set(disabled).difference(now.frames))]:
        raise Invalid([f"Unknown frames requested for exclusion from the validation set: {listed(unknown)}"])
    if set(disabled) == now.disabled:
        return []
    return [ValidationFramesDisabled(task.task_id, task.project_id, sorted(set(disabled)))]


def drawn(now: Validation, segments: Sequence[Segment], active: Sequence[int], redraw: Redraw) -> dict[int, int]:
    """What the honeypots of these segments are to show. By chance: those of all other jobs count, so that in the end
    every active frame is shown equally often. Raises Invalid.
    """
    if now.mode != "gt_pool":
        raise Invalid([NO_HONEYPOTS])
    ascending = sorted(now.honeypots)
    jobs = [ascending[bisect_left(ascending, start) : bisect_right(ascending, stop)] for start, stop in segments]
    honeypots = [frame for job in jobs for frame in job]
    if redraw.method == "manual":
        return dict(zip(honeypots, by_hand(honeypots, active, redraw.real_frames), strict=True))
    others = now.honeypots.keys() - set(honeypots)
    uses = Counter(now.honeypots[frame] for frame in others)
    pool = BalancedDraw([uses[frame] for frame in active], generator(redraw.seed))
    return {frame: active[position] for job in jobs for frame, position in zip(job, pool.draw(len(job)), strict=True)}


def by_hand(honeypots: Sequence[int], active: Sequence[int], wanted: Sequence[int]) -> Sequence[int]:
    """Raises Unpickable unless there is an active validation frame for each honeypot."""
    if len(wanted) != len(honeypots):
        raise Unpickable(f"Specify as many frames as there are honeypots: {len(honeypots)}, not {len(wanted)}")
    if unknown := [str(frame) for frame in sorted(set(wanted).difference(active))]:
        raise Unpickable(f"Not active validation frames: {listed(unknown)}")
    return wanted
