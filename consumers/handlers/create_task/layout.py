"""Which files become frames, in which order, and how the frames are cut into jobs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from consumers.handlers.create_task.validation import pooled
from domain.data_params import DataParams
from domain.splitting import Split, split_by_files, split_evenly
from domain.task import Task
from domain.validation.setup import Plan


@dataclass(frozen=True)
class Layout:
    """`names`: the file of each frame, in frame order. `split`: the jobs. `validation`: of honeypots among them."""

    names: Sequence[str]
    split: Split
    validation: Plan | None = None


def lay_out(task: Task, params: DataParams, names: Sequence[str], max_jobs: int) -> Layout:
    """`names`: the selected files, in order. Raises MediaError, Unpickable."""
    replicas = task.consensus_replicas
    if pool := pooled(task, params, names, max_jobs):
        return Layout(pool.names, pool.split, pool.plan)
    if params.job_file_mapping is not None:
        return Layout(names, split_by_files(params.job_file_mapping, replicas=replicas, max_jobs=max_jobs))
    split = split_evenly(len(names), task.segment_size, task.overlap, replicas=replicas, max_jobs=max_jobs)
    return Layout(names, split)


def split_video(task: Task, size: int, max_jobs: int) -> Split:
    """`size`: the number of selected frames. Raises MediaError."""
    return split_evenly(
        size, task.segment_size, task.overlap, video=True, replicas=task.consensus_replicas, max_jobs=max_jobs
    )
