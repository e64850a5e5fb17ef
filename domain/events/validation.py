"""How annotators' work is checked. Stream: `validation-<task id>`, apart from the task's own, which stays short."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypedDict

from domain.event import Body, event_type
from domain.events.data import Frame


class Honeypot(TypedDict):
    """Frame `frame` of a job shows the picture of frame `real_frame`, which the ground truth job has."""

    frame: int
    real_frame: int
    picture: Frame


class ValidationBody(Body):
    __slots__ = ()
    task_id: int

    @property
    def stream(self) -> str:
        return f"validation-{self.task_id}"


@event_type("ValidationSetUp")
@dataclass(frozen=True)
class ValidationSetUp(ValidationBody):
    """Frames were set aside whose true annotations are drawn in the ground truth job `job_id`, which has these frames
    only. Mode `gt`: annotators see them among all others. Mode `gt_pool`: they see them as honeypots, which follow as
    `HoneypotsPlaced`, `frames_per_job_count` in each job (None in mode `gt`). Frames are numbered within the task.
    """

    task_id: int
    project_id: int | None
    job_id: int
    mode: str
    frames: list[int]
    frames_per_job_count: int | None


@event_type("HoneypotsPlaced")
@dataclass(frozen=True)
class HoneypotsPlaced(ValidationBody):
    """Frames of annotation jobs now show pictures of the ground truth job; those not named here stay as they are."""

    task_id: int
    project_id: int | None
    honeypots: list[Honeypot]


@event_type("ValidationFramesDisabled")
@dataclass(frozen=True)
class ValidationFramesDisabled(ValidationBody):
    """Of the ground truth frames, exactly `frames` no longer count when work is checked."""

    task_id: int
    project_id: int | None
    frames: list[int]
