"""Jobs."""

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
from api.schemas.tasks import JobPatch
from api.schemas.validation import JobWrite
from api.services import services
from api.views import jobs as views
from domain.event import Context
from domain.job import UNCHANGED
from projections.resources import JOBS

router = APIRouter(prefix="/api/jobs", tags=["jobs"])


@router.get("")
def list_jobs(request: Request) -> Response:
    """The jobs that the caller has a part in, newest first; all for admins."""
    return page_response(request, caller(request), JOBS, views.job)


@router.post("", status_code=201)
def create(request: Request, body: JobWrite) -> Response:
    """Adds a ground truth job to a task that has data: one at most. Its frames are picked by chance, or by hand."""
    context = caller(request)
    sampling = body.sampling()
    find_resource(request, context, "task", "update", body.task_id)
    job_id = services(request).app.ground_truth.create(context, body.task_id, sampling, body.assignee)
    return _job_response(request, context, job_id, 201)


@router.get("/{job_id}")
def retrieve(request: Request, job_id: int) -> Response:
    """One job."""
    return _job_response(request, caller(request), job_id)


@router.patch("/{job_id}")
def update(request: Request, job_id: int, body: JobPatch) -> Response:
    """Moves a job to another stage or state, or hands it to somebody. Stage and assignee are for the task's staff."""
    context = caller(request)
    given = body.given()
    row = find_job(request, context, "update", job_id)
    if given.keys() & {"stage", "assignee"}:
        require(context.actor, "assign", "job", row)
    services(request).app.jobs.update(
        context,
        job_id,
        stage=given.get("stage"),
        state=given.get("state"),
        assignee_id=given.get("assignee", UNCHANGED),
    )
    return _job_response(request, context, job_id)


@router.delete("/{job_id}", status_code=204)
def delete(request: Request, job_id: int) -> Response:
    """Deletes a ground truth job with its annotations; other jobs go with their task. It can be brought back."""
    context = caller(request)
    find_job(request, context, "delete", job_id)
    services(request).app.jobs.delete(context, job_id)
    return no_content()


def find_job(request: Request, context: Context, action: Action, job_id: int) -> dict[str, Any]:
    """The job's row. Raises NotFound, Forbidden."""
    return find_resource(request, context, "job", action, job_id)


def _job_response(request: Request, context: Context, job_id: int, status: int = 200) -> Response:
    row = find_job(request, context, "view", job_id)
    return json_response(views.job(row, urls.base(request)), status)
