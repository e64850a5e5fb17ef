"""How work on tasks is checked: with ground truth, and with honeypots."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.authorization import require
from api.caller import caller
from api.responses import json_response
from api.routes.jobs import find_job
from api.routes.tasks import find_task
from api.schemas.validation import JobLayoutPatch, TaskLayoutPatch
from api.services import services
from api.views import validation as views
from domain.event import Context
from projections.named_queries import queries

router = APIRouter(prefix="/api")


@router.get("/tasks/{task_id}/validation_layout", tags=["tasks"])
def of_task(request: Request, task_id: int) -> Response:
    """The ground truth frames of a task, those that are disabled, and which frames show them as honeypots."""
    find_task(request, caller(request), "view", task_id)
    return _task_layout(request, task_id)


@router.patch("/tasks/{task_id}/validation_layout", tags=["tasks"])
def change_task(request: Request, task_id: int, body: TaskLayoutPatch) -> Response:
    """Disables ground truth frames, all that are named and no others; or lets all honeypots show other frames."""
    context = caller(request)
    find_task(request, context, "update", task_id)
    services(request).app.validation_layouts.change(context, task_id, body.disabled_frames, body.redraw())
    return _task_layout(request, task_id)


@router.get("/jobs/{job_id}/validation_layout", tags=["jobs"])
def of_job(request: Request, job_id: int) -> Response:
    """The honeypots of a job. They are not for those who are checked with them."""
    _find_job(request, caller(request), job_id)
    return _job_layout(request, job_id)


@router.patch("/jobs/{job_id}/validation_layout", tags=["jobs"])
def change_job(request: Request, job_id: int, body: JobLayoutPatch) -> Response:
    """Lets the honeypots of a job show other frames."""
    context = caller(request)
    _find_job(request, context, job_id)
    services(request).app.validation_layouts.change_in_job(context, job_id, body.redraw())
    return _job_layout(request, job_id)


def _find_job(request: Request, context: Context, job_id: int) -> None:
    job = find_job(request, context, "view", job_id)
    if job["type"] != "ground_truth":
        require(context.actor, "assign", "job", job)


def _task_layout(request: Request, task_id: int) -> Response:
    row = services(request).database.query_one(queries("validation")["of_task"], {"id": task_id})
    return json_response(views.task_layout(row or {"mode": None}))


def _job_layout(request: Request, job_id: int) -> Response:
    row = services(request).database.query_one(queries("validation")["of_job"], {"id": job_id})
    return json_response(views.job_layout(row or {"mode": None}))
