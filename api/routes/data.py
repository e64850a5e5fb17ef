"""The data of tasks: sending files in, and getting frames back."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.authorization import require
from api.bodies import parsed, raw_json
from api.caller import caller
from api.media import frames
from api.media import query as media_query
from api.media.prepared import Found, prepared_response
from api.responses import json_bytes, json_response
from api.routes.tasks import find_task
from api.routes.uploads import create_data_upload
from api.schemas.data import MetaPatch
from api.services import services
from api.uploads.forms import Form, incoming_form
from api.views import data as views
from domain.data_form import form_body
from domain.data_params import parse_data_params
from domain.errors import Invalid
from domain.event import Context
from projections.named_queries import queries

router = APIRouter(prefix="/api/tasks/{task_id}", tags=["tasks"])

NOT_YET = ("cloud_storage_id",)
"""Options that this server can't act on: refused, so that nobody thinks that they were."""


@router.post("/data/", include_in_schema=False)
@router.post("/data", status_code=202)
async def send(request: Request, task_id: int) -> Response:
    """Gives a task its data. A header says which step this is: `Upload-Start` (202), then files in forms
    (`Upload-Multiple`, 200) or, large ones, piece by piece (`Upload-Length`, 201: the tus protocol), then
    `Upload-Finish` with the options (202, with the id of the request that makes the jobs). Without such a header files
    and options come in one form.
    """
    context = await run_in_threadpool(_uploader, request, task_id)
    if "upload-length" in request.headers:
        return await run_in_threadpool(create_data_upload, request, context, task_id)
    if "upload-start" in request.headers:
        await run_in_threadpool(services(request).app.data.start_upload, context, task_id)
        return Response(status_code=202)
    if "upload-multiple" in request.headers:
        await _receive(request, context, task_id)
        return Response(status_code=200)
    return json_response({"rq_id": await _submit(request, context, task_id)}, 202)


@router.get("/data/", include_in_schema=False)
@router.get("/data", openapi_extra={"parameters": media_query.parameters(job=False)})
async def retrieve(request: Request, task_id: int) -> Response:
    """A chunk (a zip, or a piece of a video) or a frame, numbered within the task from 0."""

    def locate() -> Found:
        row = _find(request, task_id)
        return frames.locate(row, media_query.parse(request.query_params, job=False), services(request))

    return await prepared_response(request, locate)


@router.get("/data/meta")
def meta(request: Request, task_id: int) -> Response:
    """What the data consists of: sizes, options, and each frame's name, width and height."""
    return _meta_response(request, task_id)


@router.patch("/data/meta")
def update_meta(request: Request, task_id: int, body: MetaPatch) -> Response:
    """Deletes frames, or brings them back: those named are deleted from now on, and no others."""
    context = caller(request)
    find_task(request, context, "update", task_id)
    if body.deleted_frames is not None:
        services(request).app.deleted_frames.replace(context, task_id, body.deleted_frames)
    return _meta_response(request, task_id)


@router.get("/preview")
async def preview(request: Request, task_id: int) -> Response:
    """A small JPEG of the first frame. Without data 404; 204 for clients that say `Prefer: handling=empty`."""
    return await frames.preview_response(request, lambda: _find(request, task_id))


def _meta_response(request: Request, task_id: int) -> Response:
    row = _find(request, task_id)
    entries = frames.metas(row, services(request))
    return json_bytes(views.meta(row, frames.frames_of(row), entries))


def _find(request: Request, task_id: int) -> dict[str, Any]:
    """The task's data, for those who may see it. Raises NotFound, Forbidden."""
    context = caller(request)
    row = services(request).database.query_one(queries("data")["of_task"], {"id": task_id})
    return require(context.actor, "view", "task", row)


def _uploader(request: Request, task_id: int) -> Context:
    """Who may give the task data, while it waits for data. Raises NotFound, Forbidden, RequestInProgress, Invalid."""
    context = caller(request)
    find_task(request, context, "upload", task_id)
    services(request).app.data.check_open(task_id)
    return context


async def _receive(request: Request, context: Context, task_id: int) -> None:
    parts = services(request)
    async with _form(request) as form:
        await run_in_threadpool(lambda: parts.app.data.receive(context, task_id, form.commit(parts.blobs)))


async def _submit(request: Request, context: Context, task_id: int) -> str:
    if request.headers.get("content-type", "").lower().startswith("multipart/form-data"):
        async with _form(request) as form:
            return await run_in_threadpool(_queue, request, context, task_id, form_body(form.fields), form)
    body = await raw_json(request)
    return await run_in_threadpool(lambda: _queue(request, context, task_id, parsed(body or b"{}"), None))


def _form(request: Request) -> AbstractAsyncContextManager[Form]:
    parts = services(request)
    return incoming_form(request, parts.blobs, parts.settings.max_files_per_form, parts.settings.max_upload_bytes)


def _queue(request: Request, context: Context, task_id: int, body: Any, form: Form | None) -> str:
    parts = services(request)
    params = parse_data_params(body)
    refused = {name: ["This server does not offer this yet."] for name in NOT_YET if getattr(params, name)}
    if params.server_files and parts.settings.share is None:
        refused["server_files"] = ["This server has no share."]
    if refused:
        raise Invalid(refused)
    return parts.app.data.submit(context, task_id, params.recorded(), form.commit(parts.blobs) if form else [])
