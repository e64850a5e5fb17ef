"""Files that come in piece by piece: of a task's data, and to be imported."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api.caller import caller
from api.finding import find_resource
from api.services import Services, services
from api.uploads.destinations import DATA, IMPORTS, Destination
from api.uploads.tus import add_piece, announced_name, offset_response, open_upload, recorded, uploads
from api.uploads.unfinished import Upload
from domain.errors import Conflict, Invalid, NotFound, RequestInProgress
from domain.event import Context
from domain.events.data import ReceivedFile

router = APIRouter()


def create_data_upload(request: Request, context: Context, task_id: int) -> Response:
    """Opens an upload of a file of the task's data."""
    name = announced_name(request)
    if any(file["name"] == name for file in services(request).app.data.received(task_id)):
        raise Conflict(f"A file {name} was sent already")
    return open_upload(request, context, DATA.target(task_id), name, known_by_id=False)


def _add_routes(destination: Destination) -> None:
    """FastAPI needs functions of their own for each path."""

    def find(request: Request, target_id: int, upload_id: str) -> tuple[Context, Upload]:
        """Raises NotFound, Forbidden."""
        context = caller(request)
        target = destination.target(target_id)
        upload = uploads(services(request)).find(upload_id, context.actor.user_id, target)
        find_resource(request, context, destination.noun, destination.action, target_id)
        return context, upload

    async def append(request: Request, target_id: int, upload_id: str) -> Response:
        """Adds bytes at `Upload-Offset`, which must be the number of those that have arrived. The answer says how many
        of them are safe on disk now; after the last one the file counts as received.
        """
        context, upload = await run_in_threadpool(find, request, target_id, upload_id)

        def complete(upload: Upload) -> None:
            if destination is DATA:
                _receive(services(request), context, target_id, upload)
            else:
                upload.acknowledge(upload.info.length)

        return await add_piece(request, upload, complete)

    def offset(request: Request, target_id: int, upload_id: str) -> Response:
        """How many bytes have arrived."""
        _, upload = find(request, target_id, upload_id)
        return offset_response(upload)

    tags = [f"{destination.noun}s"]
    add: Callable[..., None] = router.add_api_route
    add(destination.path, append, methods=["PATCH"], status_code=204, tags=tags)
    add(destination.path, offset, methods=["HEAD"], tags=tags)


def _receive(parts: Services, context: Context, task_id: int, upload: Upload) -> None:
    """Makes the bytes a blob and records the file as received: once, though a crash may make the client send its last
    piece again.
    """
    cause = f"upload-{upload.id}"
    if not recorded(parts, f"data-{task_id}", cause):
        blob = parts.blobs.put(upload.read())
        file = ReceivedFile(name=upload.info.name, sha256=blob.sha256, size=blob.size)
        try:
            parts.app.data.receive(replace(context, causation_id=cause), task_id, [file])
        except (NotFound, Invalid, RequestInProgress):
            upload.forget()
            raise
    upload.forget()


for _destination in (DATA, *IMPORTS.values()):
    _add_routes(_destination)
