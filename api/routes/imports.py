"""Imports: annotations from a file into a task or job; a dataset, as new tasks of a project."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.caller import caller
from api.responses import json_response
from api.services import services
from api.targets import find_target, flag, format_name, stored_here
from api.uploads.destinations import IMPORTS, Destination
from api.uploads.forms import IMPORT_FILE, Form, incoming_form
from api.uploads.tus import announced_name, open_upload, recorded, uploads
from domain.errors import Invalid
from domain.event import Context
from domain.imports import MODES, SentFile
from domain.target import Target
from infra.formats import registry

router = APIRouter()

QUERY = {
    "parameters": [
        {"name": "format", "in": "query", "schema": {"type": "string"}},
        {"name": "filename", "in": "query", "schema": {"type": "string"}},
        {"name": "conv_mask_to_poly", "in": "query", "schema": {"type": "boolean", "default": True}},
        {"name": "import_mode", "in": "query", "schema": {"type": "string", "enum": list(MODES)}},
    ]
}


def _add_routes(destination: Destination) -> None:
    """FastAPI needs functions of their own for each path."""

    async def send(request: Request, target_id: int) -> Response:
        """Sends a file to be imported. A header says which step this is: `Upload-Start` (202), then the file piece by
        piece (`Upload-Length`, 201: the tus protocol), then `Upload-Finish` with the upload's id as `filename` (202,
        with the id of the request). Without such a header the file comes in one form, as `annotation_file`.
        """
        context, target = await run_in_threadpool(_check, request, destination, target_id)
        if "upload-length" in request.headers:
            place, name = destination.target(target_id), announced_name(request)
            return await run_in_threadpool(lambda: open_upload(request, context, place, name, known_by_id=True))
        wanted = format_name(request, registry.importer)
        if "upload-start" in request.headers:
            return Response(status_code=202)
        if "upload-finish" in request.headers:
            place = destination.target(target_id)
            import_id = await run_in_threadpool(_finish, request, context, target, wanted, place)
        else:
            import_id = await _take(request, context, target, wanted)
        return json_response({"rq_id": import_id}, 202)

    path, tags = f"/api/{destination.noun}s/{{target_id}}/{destination.what}", [f"{destination.noun}s"]
    add: Callable[..., None] = router.add_api_route
    add(f"{path}/", send, methods=["POST"], status_code=202, include_in_schema=False)
    add(path, send, methods=["POST"], status_code=202, openapi_extra=QUERY, tags=tags)


def _check(request: Request, destination: Destination, target_id: int) -> tuple[Context, Target]:
    """Who may import here, while nothing else is imported here. Raises NotFound, Forbidden, Invalid,
    RequestInProgress.
    """
    context = caller(request)
    target = find_target(request, context, destination.noun, destination.action, target_id)
    stored_here(request)
    services(request).app.imports.check_free(target)
    return context, target


def _finish(request: Request, context: Context, target: Target, wanted: str, place: str) -> str:
    """Queues the import of the file that came in piece by piece."""
    parts = services(request)
    upload = uploads(parts).find(request.query_params.get("filename", ""), context.actor.user_id, place)
    if upload.offset < upload.info.length:
        raise Invalid([f"Only {upload.offset} of {upload.info.length} bytes have arrived"])
    import_id, cause = parts.app.imports.id(target), f"upload-{upload.id}"
    # The upload is forgotten last: after a crash in between, the client sends its last step again.
    if not recorded(parts, f"request-{import_id}", cause):
        blob = parts.exchange.put(upload.read())
        sent = SentFile(upload.info.name, blob.sha256, blob.size)
        _queue(request, replace(context, causation_id=cause), target, wanted, sent)
    upload.forget()
    return import_id


async def _take(request: Request, context: Context, target: Target, wanted: str) -> str:
    """Queues the import of the file in a form."""
    async with _form(request) as form:
        if len(form.files) != 1:
            raise Invalid({"annotation_file": ["One file is expected."]})

        def commit() -> str:
            (file,) = form.commit(services(request).exchange)
            sent = SentFile(file["name"], file["sha256"], file["size"])
            return _queue(request, context, target, wanted, sent)

        return await run_in_threadpool(commit)


def _form(request: Request) -> AbstractAsyncContextManager[Form]:
    parts = services(request)
    return incoming_form(request, parts.exchange, 1, parts.settings.max_upload_bytes, IMPORT_FILE)


def _queue(request: Request, context: Context, target: Target, wanted: str, file: SentFile) -> str:
    mode = request.query_params.get("import_mode") or "replace"
    if mode not in MODES:
        raise Invalid({"import_mode": [f'"{mode[:50]}" is not a valid choice.']})
    return services(request).app.imports.queue(
        context,
        target,
        wanted,
        file,
        conv_mask_to_poly=flag(request, "conv_mask_to_poly"),
        import_mode=mode,
    )


for _destination in IMPORTS.values():
    _add_routes(_destination)
