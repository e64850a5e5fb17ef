"""What exports and imports are about."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """What is exported, or imported into: a task, a job or a project, with the ids of what it belongs to."""

    noun: str
    project_id: int | None = None
    task_id: int | None = None
    job_id: int | None = None

    @property
    def id(self) -> int:
        own = {"project": self.project_id, "task": self.task_id, "job": self.job_id}[self.noun]
        assert own is not None
        return own
