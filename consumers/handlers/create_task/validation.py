"""Setting frames aside on which annotators are checked, where the client asked for that."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace

from domain.data import Prepared
from domain.data_params import DataParams, ValidationParams
from domain.errors import MediaError
from domain.task import Task
from domain.validation.setup import Pooled, plan_ground_truth, plan_pool


def pooled(task: Task, params: DataParams, names: Sequence[str], max_jobs: int) -> Pooled | None:
    """The frames with honeypots among them, unless none were asked for. Raises MediaError, Unpickable."""
    wanted = params.validation_params
    if wanted is None or not params.has_honeypots:
        return None
    return plan_pool(task, params, wanted, names, _seed(wanted), max_jobs)


def checked(prepared: Prepared, params: DataParams) -> Prepared:
    """With ground truth among the frames, unless none was asked for. Raises MediaError, Unpickable."""
    wanted = params.validation_params
    if wanted is None:
        return prepared
    if wanted.mode == "gt":
        names = [frame["name"] for frame in prepared.frames]
        return replace(prepared, validation=plan_ground_truth(wanted, prepared.split, names, _seed(wanted)))
    if prepared.validation is None:
        raise MediaError('The validation mode "gt_pool" can only be used with images')
    # Honeypots come on top of what was selected, in an order of their own: numbers of files mean nothing any more.
    size = len(prepared.frames)
    uploaded = replace(prepared.uploaded, size=size, start_frame=0, stop_frame=size - 1, frame_filter="")
    return replace(prepared, uploaded=uploaded)


def _seed(wanted: ValidationParams) -> int:
    return secrets.randbits(64) if wanted.random_seed is None else wanted.random_seed
