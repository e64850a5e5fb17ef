"""What exports and imports are about: a task, a job or a project, as a path names it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import Request

from api.authorization import Action
from api.finding import find_resource
from domain.errors import Invalid, NotOffered
from domain.event import Context
from domain.target import Target
from infra.formats.registry import Exporter, Importer


def find_target(request: Request, context: Context, noun: str, action: Action, target_id: int) -> Target:
    """Raises NotFound, Forbidden; Invalid for a task without data, of which there is nothing to export, nor anything to
    import into.
    """
    row = find_resource(request, context, noun, action, target_id)
    if noun == "task" and row["size"] is None:
        raise Invalid(["The task has no data yet"])
    return _target(noun, row)


def _target(noun: str, row: dict[str, Any]) -> Target:
    if noun == "project":
        return Target(noun, project_id=row["id"])
    if noun == "task":
        return Target(noun, project_id=row["project_id"], task_id=row["id"])
    return Target(noun, project_id=row["project_id"], task_id=row["task_id"], job_id=row["id"])


def stored_here(request: Request) -> None:
    """Raises Invalid for files that are to go to, or come from, a cloud storage."""
    if request.query_params.get("location", "local") != "local" or request.query_params.get("cloud_storage_id"):
        raise Invalid({"location": ["This server has no cloud storages; files are sent and fetched."]})


def format_name(request: Request, find: Callable[[str], Exporter | Importer | None]) -> str:
    """The format that the query names. Raises Invalid for an unknown one, NotOffered for one that is not installed."""
    name = request.query_params.get("format", "")
    found = find(name)
    if found is None:
        raise Invalid([f"Format {name[:100]!r} is not known: GET /api/server/annotation/formats lists those that are"])
    if not found.format.enabled:
        raise NotOffered(f"Format {name!r} needs a library that is not installed here")
    return name


def flag(request: Request, name: str) -> bool | None:
    """A truth value of the query, in whatever spelling clients use; None when it isn't given. Raises Invalid."""
    text = request.query_params.get(name)
    if text is None or text == "":
        return None
    if text.lower() not in ("true", "false", "1", "0"):
        raise Invalid({name: ["Must be a valid boolean."]})
    return text.lower() in ("true", "1")
