"""Domain events to analytics rows, one module per noun. Importing this package registers every transform."""

from consumers.forwarder.transform import (
    access_token,
    annotations,
    data,
    issue,
    job,
    label,
    project,
    request,
    server_telemetry,
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
    "server_telemetry",
    "task",
    "telemetry",
    "user",
    "validation",
]
