"""Domain events to analytics rows, one module per noun. Importing this package registers every transform."""

from consumers.forwarder.transform import annotations, data, job, label, project, request, task, user

__all__ = ["annotations", "data", "job", "label", "project", "request", "task", "user"]
