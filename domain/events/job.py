"""What happens to jobs. Stream: `job-<id>`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from domain.event import Body, event_type, upcaster
from domain.events.issue import GoneIssue


class JobBody(Body):
    __slots__ = ()
    job_id: int

    @property
    def stream(self) -> str:
        return f"job-{self.job_id}"


@event_type("JobCreated", version=2)
@dataclass(frozen=True)
class JobCreated(JobBody):
    """A job came into being: frames `start_frame`..`stop_frame`, inclusive, numbered within the task. Types:
    `annotation`; `replica`, in which the same frames as in job `parent_job_id` are annotated once more; `ground_truth`,
    which has but some of the frames: those of `ValidationSetUp`.
    """

    job_id: int
    task_id: int
    project_id: int | None
    segment_id: int
    type: str
    start_frame: int
    stop_frame: int
    assignee_id: int | None
    stage: str
    state: str
    parent_job_id: int | None


@upcaster("JobCreated", 1)
def _without_parent(fields: dict[str, Any]) -> dict[str, Any]:
    """In the days of version 1 there were no replicas."""
    return {**fields, "parent_job_id": None}


@event_type("JobAssigned")
@dataclass(frozen=True)
class JobAssigned(JobBody):
    """A job was handed to a person, or taken back (`assignee_id` None)."""

    job_id: int
    task_id: int
    project_id: int | None
    assignee_id: int | None
    assignee: str | None
    previous_assignee_id: int | None


@event_type("JobStateChanged")
@dataclass(frozen=True)
class JobStateChanged(JobBody):
    """Work on a job moved on (or back). Stages: annotation, validation, acceptance. States: new, in progress,
    completed, rejected.
    """

    job_id: int
    task_id: int
    project_id: int | None
    stage: str
    state: str
    previous_stage: str
    previous_state: str


@event_type("JobDeleted", version=2)
@dataclass(frozen=True)
class JobDeleted(JobBody):
    """A job was deleted by itself, with its annotations and `issues`. Stage and state are those that it had."""

    job_id: int
    task_id: int
    project_id: int | None
    stage: str
    state: str
    issues: list[GoneIssue] = field(default_factory=list)


@event_type("JobRestored", version=2)
@dataclass(frozen=True)
class JobRestored(JobBody):
    """A deleted job came back as it was, with its annotations and `issues`. `deletion`: the position of its
    `JobDeleted`.
    """

    job_id: int
    task_id: int
    project_id: int | None
    stage: str
    state: str
    deletion: int
    issues: list[GoneIssue] = field(default_factory=list)


@upcaster("JobDeleted", 1)
@upcaster("JobRestored", 1)
def _with_issues(fields: dict[str, Any]) -> dict[str, Any]:
    """Version 1 did not say which issues the job has."""
    return {**fields, "issues": []}
