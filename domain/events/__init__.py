"""Every event there is, by noun. Importing this package registers them all."""

from domain.events import annotations, data, job, label, project, request, task, user

__all__ = ["annotations", "data", "job", "label", "project", "request", "task", "user"]
