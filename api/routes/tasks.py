"""Tasks."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import urls
from api.authorization import Action, require
from api.caller import caller
from api.finding import find_resource
from api.paging import page_response
from api.responses import json_response, no_content
from api.schemas import labels
from api.schemas.common import storage
from api.schemas.tasks import TaskPatch, TaskWrite
from api.services import services
from api.views import requests
from api.views import tasks as views
from domain.errors import Invalid
from domain.event import Context
from domain.request import request_id
from domain.task import NewTask
from projections.listing import find_one
from projections.resources import PROJECTS, REQUESTS, TASKS

router = APIRouter(prefix="/api/tasks", tags=["tasks"])


@router.get("")
def list_tasks(request: Request) -> Response:
    """The tasks that the caller owns or is assigned to, newest first; all for admins."""
    return page_response(request, caller(request), TASKS, views.task)


@router.post("", status_code=201)
def create(request: Request, body: TaskWrite) -> Response:
    """Creates a task. Its data comes after: POST /api/tasks/{id}/data/."""
    context = caller(request)
    app = services(request).app
    if body.project_id is not None:
        row = find_one(services(request).database.query, PROJECTS, body.project_id)
        if row is not None:
            require(context.actor, "update", "project", row)
    task_id = app.tasks.create(context, _wanted(body))
    return _task_response(request, context, task_id, 201)


@router.get("/{task_id}")
def retrieve(request: Request, task_id: int) -> Response:
    """One task."""
    return _task_response(request, caller(request), task_id)


@router.patch("/{task_id}")
def update(request: Request, task_id: int, body: TaskPatch) -> Response:
    """Changes some fields of a task."""
    context = caller(request)
    fields = body.fields()
    row = find_task(request, context, "update", task_id)
    if fields.keys() & {"owner_id", "assignee_id", "project_id"}:
        require(context.actor, "assign", "task", row)
    project_id = _destination(request, context, row, fields)
    services(request).app.tasks.update(context, task_id, fields, labels.edits(body.labels), project_id)
    return _task_response(request, context, task_id)


@router.delete("/{task_id}", status_code=204)
def delete(request: Request, task_id: int) -> Response:
    """Deletes a task with its jobs and annotations. All of it can be brought back."""
    context = caller(request)
    find_task(request, context, "delete", task_id)
    services(request).app.tasks.delete(context, task_id)
    return no_content()


@router.get("/{task_id}/status", deprecated=True)
def creation_status(request: Request, task_id: int) -> Response:
    """How far the making of the task's frames and jobs is; GET /api/requests tells more."""
    context = caller(request)
    find_task(request, context, "view", task_id)
    key = request_id(action="create", target="task", target_id=task_id)
    row = find_one(services(request).database.query, REQUESTS, key)
    status = row["status"] if row else "finished"
    message = requests.message(row) if row else ""
    return json_response({"state": status.capitalize(), "message": message, "progress": float(status == "finished")})


def find_task(request: Request, context: Context, action: Action, task_id: int) -> dict[str, Any]:
    """The task's row. Raises NotFound, Forbidden."""
    return find_resource(request, context, "task", action, task_id)


def _destination(request: Request, context: Context, row: dict[str, Any], fields: dict[str, Any]) -> int | None:
    """The project where the task is to go, taken out of the fields. Raises Invalid, NotFound, Forbidden."""
    if "project_id" not in fields or fields["project_id"] == row["project_id"]:
        fields.pop("project_id", None)
        return None
    project_id: int | None = fields.pop("project_id")
    if project_id is None:
        raise Invalid({"project_id": ["A task can't leave its project, as it would have no labels."]})
    found = find_one(services(request).database.query, PROJECTS, project_id)
    if found is None:
        raise Invalid({"project_id": [f'Invalid pk "{project_id}" - object does not exist.']})
    require(context.actor, "update", "project", found)
    return project_id


def _task_response(request: Request, context: Context, task_id: int, status: int = 200) -> Response:
    row = find_task(request, context, "view", task_id)
    return json_response(views.task(row, urls.base(request)), status)


def _wanted(body: TaskWrite) -> NewTask:
    return NewTask(
        name=body.name,
        labels=labels.wanted(body.labels),
        project_id=body.project_id,
        assignee_id=body.assignee_id,
        bug_tracker=body.bug_tracker,
        subset=body.subset,
        segment_size=body.segment_size,
        overlap=body.overlap,
        consensus_replicas=body.consensus_replicas or body.initial_replicas,
        source_storage=storage(body.source_storage),
        target_storage=storage(body.target_storage),
    )
