"""Events in words: what happened, as one who owns the product would say it. Importing this registers every phrase."""

from cli.phrases import (
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
from cli.phrases.words import PHRASES
from domain.event import Event


def sentence(event: Event) -> str:
    """`admin created task 1 “photos”`."""
    return f"{who(event)} {PHRASES[type(event.body)](event.body)}"


def who(event: Event) -> str:
    """Processing work was done by an agent, whoever asked for it."""
    if event.meta.source in ("worker", "agent"):
        return "agent"
    if event.meta.actor is not None:
        return event.meta.actor
    return "operator" if event.meta.source == "cli" else "Annals"


__all__ = [
    "PHRASES",
    "access_token",
    "annotations",
    "data",
    "issue",
    "job",
    "label",
    "project",
    "request",
    "sentence",
    "task",
    "telemetry",
    "user",
    "validation",
    "who",
]
