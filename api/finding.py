"""One resource by its id, for those who may do with it what they want to do."""

from __future__ import annotations

from typing import Any

from fastapi import Request

from api.authorization import Action, require
from api.services import services
from domain.event import Context
from projections.listing import find_one
from projections.resources import JOBS, PROJECTS, TASKS

NOUNS = {"job": JOBS, "task": TASKS, "project": PROJECTS}


def find_resource(request: Request, context: Context, noun: str, action: Action, resource_id: int) -> dict[str, Any]:
    """The row of a job, task or project. Raises NotFound, Forbidden."""
    row = find_one(services(request).database.query, NOUNS[noun], resource_id)
    return require(context.actor, action, noun, row)
