"""Jobs."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import urls
from api.authorization import Action, require
from api.caller import caller
from api.paging import page_response
from api.responses import json_response, no_content
from api.schemas.tasks import JobPatch
from api.services import services
from api.views import jobs as views
from domain.event import Context
from domain.job import UNCHANGED
from projections.listing import find_one
from projections.resources import JOBS

router = APIRouter(prefix="/api/jobs", tags=["jobs"])


@router.get("")
def list_jobs(request: Request) -> Response:
    """The jobs that the caller has a part in, newest first; all for admins."""
    return page_response(request, caller(request), JOBS, views.job)


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
    row = find_one(services(request).database.query, JOBS, job_id)
    return require(context.actor, action, "job", row)


def _job_response(request: Request, context: Context, job_id: int) -> Response:
    row = find_job(request, context, "view", job_id)
    return json_response(views.job(row, urls.base(request)))
