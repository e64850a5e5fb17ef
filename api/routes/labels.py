"""Labels."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import urls
from api.authorization import Action, require
from api.caller import caller
from api.paging import page_response
from api.responses import json_response, no_content
from api.services import services
from api.views import labels as views
from domain.errors import Invalid, NotFound
from domain.event import Context
from projections.listing import find_one
from projections.named_queries import queries
from projections.resources import JOBS, LABELS, PROJECTS, TASKS

router = APIRouter(prefix="/api/labels", tags=["labels"])

PARENTS = {"job": JOBS, "task": TASKS, "project": PROJECTS}


@router.get("")
def list_labels(request: Request) -> Response:
    """The labels that apply in one job, task or project."""
    context = caller(request)
    given = [noun for noun in PARENTS if request.query_params.get(f"{noun}_id")]
    if len(given) != 1:
        raise Invalid(["Exactly one of job_id, task_id and project_id must be given"])
    stream = _stream(request, context, given[0], request.query_params[f"{given[0]}_id"])
    return page_response(request, context, LABELS, views.label, {"stream": stream})


@router.get("/{label_id}")
def retrieve(request: Request, label_id: int) -> Response:
    """One label."""
    row = _find(request, caller(request), "view", label_id)
    return json_response(views.label(row, urls.base(request)))


@router.delete("/{label_id}", status_code=204)
def delete(request: Request, label_id: int) -> Response:
    """Deletes a label with every annotation that uses it. All of it can be brought back."""
    context = caller(request)
    _find(request, context, "update", label_id)
    services(request).app.labels.delete(context, label_id)
    return no_content()


def _find(request: Request, context: Context, action: Action, label_id: int) -> dict[str, Any]:
    """The label's row, if the caller may do that with its parent. Raises NotFound, Forbidden."""
    row = find_one(services(request).database.query, LABELS, label_id)
    if row is None:
        raise NotFound
    noun = "project" if row["project_id"] is not None else "task"
    require(context.actor, action, noun, find_one(services(request).database.query, PARENTS[noun], row[f"{noun}_id"]))
    return row


def _stream(request: Request, context: Context, noun: str, value: str) -> str:
    if not value.isascii() or not value.isdigit() or len(value) > 18:
        raise Invalid({f"{noun}_id": ["Enter a number."]})
    query = services(request).database.query
    require(context.actor, "view", noun, find_one(query, PARENTS[noun], int(value)))
    rows = query(queries("labels")[f"stream_of_{noun}"], {"id": int(value)})
    if not rows:
        raise NotFound
    return str(rows[0]["stream"])
