"""The questions about ground truth, answered by definition: one event after the other."""

from __future__ import annotations

from collections.abc import Sequence

from domain.event import Event
from domain.events.data import DataUploaded, Frame, FramesAdded, FramesDeleted, FramesRestored, JobsSplit
from domain.events.job import JobCreated, JobDeleted, JobRestored
from domain.events.validation import HoneypotsPlaced, ValidationFramesDisabled, ValidationSetUp
from domain.ports import Validation
from domain.splitting import Segment
from domain.validation.selection import Selectable


class NaiveValidation:
    """Folds the whole log for each question."""

    _events: Sequence[Event]

    def selectable(self, task_id: int) -> Selectable | None:
        size, split, deleted = None, (0, 0), frozenset[int]()
        segments = []
        for event in self._events:
            match event.body:
                case DataUploaded(task_id=owner, size=uploaded) if owner == task_id:
                    size = uploaded
                case JobsSplit(task_id=owner, segment_size=segment_size, overlap=overlap) if owner == task_id:
                    split = (segment_size, overlap)
                case JobCreated(task_id=owner, type="annotation", start_frame=start, stop_frame=stop) if (
                    owner == task_id
                ):
                    segments.append(Segment(start, stop))
                case FramesDeleted() | FramesRestored() if event.body.task_id == task_id:
                    deleted = frozenset(event.body.deleted_frames)
        return None if size is None else Selectable(size, *split, sorted(segments), deleted)

    def validation(self, task_id: int) -> Validation:
        standing: ValidationSetUp | None = None
        set_up: dict[int, ValidationSetUp] = {}
        disabled: list[int] = []
        honeypots: dict[int, int] = {}
        for event in self._events:
            match event.body:
                case ValidationSetUp(task_id=owner) if owner == task_id:
                    standing = set_up[event.body.job_id] = event.body
                    disabled = []
                case JobDeleted(job_id=job_id) if job_id in set_up:
                    standing = None
                case JobRestored(job_id=job_id) if job_id in set_up:
                    standing = set_up[job_id]
                case ValidationFramesDisabled(task_id=owner, frames=frames) if owner == task_id:
                    disabled = frames
                case HoneypotsPlaced(task_id=owner) if owner == task_id:
                    honeypots |= {each["frame"]: each["real_frame"] for each in event.body.honeypots}
        streams = [f"validation-{task_id}", *(f"job-{job_id}" for job_id in set_up)]
        versions = {stream: sum(event.originator_id == stream for event in self._events) for stream in streams}
        if standing is None:
            return Validation(versions=versions)
        pool = standing.job_id, standing.mode, standing.frames
        return Validation(*pool, frozenset(disabled), honeypots, versions)

    def pictures(self, task_id: int, frames: Sequence[int]) -> dict[int, Frame]:
        added = [body for event in self._events if isinstance(body := event.body, FramesAdded)]
        shown = {
            number: frame
            for body in added
            if body.task_id == task_id
            for number, frame in enumerate(body.frames, body.first)
        }
        return {number: shown[number] for number in frames}
