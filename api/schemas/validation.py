"""Ground truth and honeypots as clients ask for them."""

from __future__ import annotations

import secrets
from typing import Annotated, Any

from pydantic import Field

from api.schemas.common import MAX_INT, Body, Id, Text, choice
from domain.errors import Invalid
from domain.validation.params import NEEDED, complaints
from domain.validation.selection import Amount, Sampling
from domain.validation_layout import Redraw

Frames = Annotated[list[Annotated[int, Field(ge=0, le=MAX_INT)]], Field(max_length=1_000_000)]
Count = Annotated[int, Field(ge=1, le=MAX_INT)]
Redrawing = Annotated[Text, choice("random_uniform", "manual")]
Share = Annotated[float, Field(gt=0, le=1)]


class JobWrite(Body):
    """A job to create: of ground truth, the only kind that is not made with the task's data."""

    task_id: Id
    type: Annotated[Text, choice("ground_truth", "annotation", "replica")]
    assignee: Id | None = None
    frame_selection_method: Annotated[Text, choice(*NEEDED)] | None = None
    frame_count: Count | None = None
    frame_share: Share | None = None
    frames_per_job_count: Count | None = None
    frames_per_job_share: Share | None = None
    random_seed: Annotated[int, Field(ge=0, le=2**63 - 1)] | None = None
    frames: Frames | None = None

    def sampling(self) -> Sampling:
        """How to pick its frames. Raises Invalid."""
        if self.type != "ground_truth":
            raise Invalid([f"Unexpected job type '{self.type}'"])
        given = self.model_dump(exclude_none=True)
        if wrong := complaints(given):
            raise Invalid({"non_field_errors": wrong})
        per_job = self.frame_selection_method == "random_per_job"
        return Sampling(
            method=given["frame_selection_method"],
            amount=Amount(self.frames_per_job_count, self.frames_per_job_share)
            if per_job
            else Amount(self.frame_count, self.frame_share),
            seed=secrets.randbits(63) if self.random_seed is None else self.random_seed,
            frames=self.frames or (),
        )


class JobLayoutPatch(Body):
    """Honeypots of a job to change."""

    frame_selection_method: Redrawing
    honeypot_real_frames: Frames | None = None

    def redraw(self) -> Redraw:
        """Raises Invalid."""
        return redraw(self.frame_selection_method, self.honeypot_real_frames)


class TaskLayoutPatch(Body):
    """How a task is checked, to change."""

    disabled_frames: Frames | None = None
    frame_selection_method: Redrawing | None = None
    honeypot_real_frames: Frames | None = None

    def redraw(self) -> Redraw | None:
        """None: the honeypots stay as they are. Raises Invalid."""
        if self.frame_selection_method is None and self.honeypot_real_frames is None:
            return None
        return redraw(self.frame_selection_method, self.honeypot_real_frames)


def redraw(method: Any, frames: list[int] | None) -> Redraw:
    """Raises Invalid unless frames are given exactly when they are picked by hand."""
    if (method == "manual") != (frames is not None):
        raise Invalid({"honeypot_real_frames": ['Required with the method "manual", and allowed with no other.']})
    return Redraw(method, secrets.randbits(63), frames or ())
