"""The part of a task's data that a job has."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.authorization import require
from api.caller import caller
from api.media import frames
from api.media import query as media_query
from api.media.prepared import Found, prepared_response
from api.responses import json_bytes
from api.routes.jobs import find_job
from api.schemas.data import MetaPatch
from api.services import services
from api.views import data as views
from projections.named_queries import queries

router = APIRouter(prefix="/api/jobs/{job_id}", tags=["jobs"])


@router.get("/data/", include_in_schema=False)
@router.get("/data", openapi_extra={"parameters": media_query.parameters(job=True)})
async def retrieve(request: Request, job_id: int) -> Response:
    """A chunk (a zip, or a piece of a video) or a frame. `index` counts the job's own chunks, which start at its first
    frame; `number` those of the task, of which the job gets its part, or the task's frames.
    """

    def locate() -> Found:
        row = _find(request, job_id)
        return frames.locate(row, media_query.parse(request.query_params, job=True), services(request))

    return await prepared_response(request, locate)


@router.get("/data/meta/", include_in_schema=False)
@router.get("/data/meta")
def meta(request: Request, job_id: int) -> Response:
    """What the job's part of the data consists of: sizes, options, and each frame's name, width and height."""
    return _meta_response(request, job_id)


@router.patch("/data/meta/", include_in_schema=False)
@router.patch("/data/meta")
def update_meta(request: Request, job_id: int, body: MetaPatch) -> Response:
    """Deletes frames of the job, or brings them back: those named are deleted from now on, and no others of the job."""
    context = caller(request)
    find_job(request, context, "update", job_id)
    if body.deleted_frames is not None:
        services(request).app.deleted_frames.replace_in_job(context, job_id, body.deleted_frames)
    return _meta_response(request, job_id)


@router.get("/preview")
async def preview(request: Request, job_id: int) -> Response:
    """A small JPEG of the job's first frame."""
    return await frames.preview_response(request, lambda: _find(request, job_id))


def _meta_response(request: Request, job_id: int) -> Response:
    row = _find(request, job_id)
    entries = frames.metas(row, services(request))
    return json_bytes(views.meta(row, frames.frames_of(row), entries))


def _find(request: Request, job_id: int) -> dict[str, Any]:
    """The job's data, for those who may see it. Raises NotFound, Forbidden."""
    context = caller(request)
    row = services(request).database.query_one(queries("data")["of_job"], {"id": job_id})
    return require(context.actor, "view", "job", row)
