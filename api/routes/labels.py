"""Labels."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import urls
from api.authorization import Action
from api.caller import caller
from api.finding import NOUNS, find_resource
from api.numbers import natural
from api.paging import page_response
from api.responses import json_response, no_content
from api.schemas.labels import LabelPatch, edits
from api.services import services
from api.views import labels as views
from domain.errors import Invalid, NotFound
from domain.event import Context
from projections.listing import find_one
from projections.named_queries import queries
from projections.resources import EVERYONES_LABELS, LABELS

router = APIRouter(prefix="/api/labels", tags=["labels"])


@router.get("")
def list_labels(request: Request) -> Response:
    """The labels that apply in one job, task or project; or all that the caller may see."""
    context = caller(request)
    given = [noun for noun in NOUNS if request.query_params.get(f"{noun}_id")]
    if len(given) > 1:
        raise Invalid(["Only one of job_id, task_id and project_id may be given"])
    if not given:
        return page_response(request, context, EVERYONES_LABELS, views.label)
    stream = _stream(request, context, given[0], request.query_params[f"{given[0]}_id"])
    return page_response(request, context, LABELS, views.label, {"stream": stream})


@router.get("/{label_id}")
def retrieve(request: Request, label_id: int) -> Response:
    """One label."""
    row = _find(request, caller(request), "view", label_id)
    return json_response(views.label(row, urls.base(request)))


@router.patch("/{label_id}")
def update(request: Request, label_id: int, body: LabelPatch) -> Response:
    """Changes some fields of a label, its attributes, or the points of a skeleton."""
    context = caller(request)
    _find(request, context, "update", label_id)
    if body.deleted:
        raise Invalid({"deleted": ["A label is deleted by DELETE, or by PATCH of its project or task."]})
    services(request).app.labels.update(context, label_id, edits([body])[0])
    row = _find(request, context, "view", label_id)
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
    find_resource(request, context, noun, action, row[f"{noun}_id"])
    return row


def _stream(request: Request, context: Context, noun: str, value: str) -> str:
    parent_id = natural(value)
    if parent_id is None:
        raise Invalid({f"{noun}_id": ["Enter a number."]})
    query = services(request).database.query
    find_resource(request, context, noun, "view", parent_id)
    rows = query(queries("labels")[f"stream_of_{noun}"], {"id": parent_id})
    if not rows:
        raise NotFound
    return str(rows[0]["stream"])
