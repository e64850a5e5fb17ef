"""Every event there is, by noun. Importing this package registers them all."""

from domain.events import (
    access_token,
    annotations,
    data,
    issue,
    job,
    label,
    project,
    request,
    task,
    telemetry,
    user,
    validation,
)

__all__ = [
    "access_token",
    "annotations",
    "data",
    "issue",
    "job",
    "label",
    "project",
    "request",
    "task",
    "telemetry",
    "user",
    "validation",
]
