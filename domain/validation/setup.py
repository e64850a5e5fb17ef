"""Setting frames aside while a task gets its data: ground truth among its frames, or a pool that honeypots show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from numpy.random import Generator

from domain.data_params import DataParams, ValidationParams
from domain.errors import MediaError
from domain.sorting import listed
from domain.splitting import Split, split_by_lengths
from domain.task import Task
from domain.validation.honeypots import arrange
from domain.validation.selection import Amount, Sampling, Selectable, Unpickable, choose, generator, pick


@dataclass(frozen=True)
class Plan:
    """How work on a task is going to be checked; as in `ValidationSetUp`. `honeypots`: frame → frame that it shows."""

    mode: str
    frames: list[int]
    frames_per_job_count: int | None = None
    honeypots: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Pooled:
    """A task's frames around a pool: the file that each frame shows, the annotation jobs, and the plan."""

    names: list[str]
    split: Split
    plan: Plan


def plan_ground_truth(wanted: ValidationParams, split: Split, names: Sequence[str], seed: int) -> Plan:
    """Mode `gt`. `names`: of the frames, in order, by which they can be picked by hand. Raises Unpickable."""
    last = split.segments[-1].stop
    frames = Selectable(last + 1, split.segment_size, split.overlap, split.segments)
    per_job = wanted.frame_selection_method == "random_per_job"
    how = Sampling(
        method=wanted.frame_selection_method or "manual",
        amount=_per_job(wanted) if per_job else Amount(wanted.frame_count, wanted.frame_share),
        seed=seed,
        frames=_numbers(wanted.frames, names),
    )
    return Plan("gt", pick(frames, how))


def plan_pool(
    task: Task, params: DataParams, wanted: ValidationParams, names: Sequence[str], seed: int, max_jobs: int
) -> Pooled:
    """Mode `gt_pool`. `names`: the selected files in natural order. Raises MediaError, Unpickable."""
    _check_pool(task, params)
    rng = generator(seed)
    pool = _pool(wanted, names, rng)
    per_job = _per_job(wanted).of(task.segment_size or len(names))
    arranged = arrange(len(names), pool, task.segment_size, per_job, rng, seed)
    split = split_by_lengths(arranged.lengths, replicas=task.consensus_replicas, max_jobs=max_jobs)
    plan = Plan("gt_pool", list(arranged.pool), per_job, arranged.honeypots)
    return Pooled([names[source] for source in arranged.sources], split, plan)


def _pool(wanted: ValidationParams, names: Sequence[str], rng: Generator) -> list[int]:
    """In the order in which they are drawn."""
    if wanted.frame_selection_method == "manual":
        return _numbers(wanted.frames, names)
    count = Amount(wanted.frame_count, wanted.frame_share).of(len(names))
    if count >= len(names):
        raise Unpickable(
            f"The number of validation frames requested ({count}) must be less than the number of task frames"
            f" ({len(names)})"
        )
    return choose(range(len(names)), count, rng)


def _per_job(wanted: ValidationParams) -> Amount:
    return Amount(wanted.frames_per_job_count, wanted.frames_per_job_share)


def _check_pool(task: Task, params: DataParams) -> None:
    """Raises MediaError for options that would tell which frames are honeypots."""
    if task.overlap:
        raise MediaError('The validation mode "gt_pool" cannot be used with an overlap')
    if params.job_file_mapping is not None:
        raise MediaError('The validation mode "gt_pool" cannot be used with job_file_mapping')


def _numbers(wanted: Sequence[str], names: Sequence[str]) -> list[int]:
    """The frames with these names. Raises Unpickable for names that no frame has."""
    numbers = {name: number for number, name in enumerate(names)}
    if unknown := sorted(name for name in wanted if name not in numbers):
        raise Unpickable(f"Unknown validation frames requested: {listed(unknown)}")
    return [numbers[name] for name in dict.fromkeys(wanted)]
