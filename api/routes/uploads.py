"""Large files of a task's data, sent piece by piece (the tus protocol)."""

from __future__ import annotations

import asyncio
import base64
import binascii
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from urllib.parse import quote

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api import urls
from api.caller import caller
from api.incoming import check_announced, take_in
from api.responses import json_response
from api.routes.tasks import find_task
from api.services import Services, services
from api.tus import Info, Upload, Uploads, Writer
from domain.errors import Conflict, Invalid, NotFound, RequestInProgress, TooLarge
from domain.event import Context
from domain.events.data import ReceivedFile
from domain.file_names import safe_name
from projections.named_queries import queries

router = APIRouter(prefix="/api/tasks/{task_id}/data/{upload_id}", tags=["tasks"])

TUS = {"Tus-Resumable": "1.0.0"}
TURN_SECONDS = 30.0
"""How long a piece waits while another piece of the same upload is being written."""


def create_upload(request: Request, context: Context, task_id: int) -> Response:
    """Opens an upload for a file of `Upload-Length` bytes. The name is in `Upload-Metadata`: `filename <base64>`."""
    parts = services(request)
    length = _header_number(request, "upload-length")
    if length > parts.settings.max_upload_bytes:
        raise TooLarge(f"A file may have at most {parts.settings.max_upload_bytes} bytes")
    name = _file_name(request.headers.get("upload-metadata", ""))
    if any(file["name"] == name for file in parts.app.data.received(task_id)):
        raise Conflict(f"A file {name} was sent already")
    if context.actor.user_id is None:
        raise NotFound
    upload_id = _uploads(parts).create(Info(context.actor.user_id, task_id, name, length))
    location = f"{urls.base(request)}/api/tasks/{task_id}/data/{upload_id}"
    shown = name if name.isascii() else quote(name)
    return Response(status_code=201, headers=TUS | {"Location": location, "Upload-Filename": shown})


@router.patch("", status_code=204)
async def append(request: Request, task_id: int, upload_id: str) -> Response:
    """Adds bytes at `Upload-Offset`, which must be the number of those that have arrived. The answer says how many of
    them are safe on disk now; after the last one the file counts as received.
    """
    context, upload = await run_in_threadpool(_open, request, task_id, upload_id)
    offset = _header_number(request, "upload-offset")
    async with _turn(upload) as present:
        if offset != present:
            detail = f"{present} bytes have arrived, not {offset}"
            return json_response({"detail": detail}, 409, TUS | {"Upload-Offset": str(present)})
        now = await _write(request, upload, offset)
        if now == upload.info.length:
            await run_in_threadpool(_complete, services(request), context, upload)
    return Response(status_code=204, headers=TUS | {"Upload-Offset": str(now)})


@router.head("")
def offset(request: Request, task_id: int, upload_id: str) -> Response:
    """How many bytes have arrived."""
    _, upload = _open(request, task_id, upload_id)
    numbers = {"Upload-Offset": str(upload.offset), "Upload-Length": str(upload.info.length)}
    return Response(headers=TUS | numbers | {"Cache-Control": "no-store"})


async def _write(request: Request, upload: Upload, offset: int) -> int:
    """How many bytes there are now. Raises TooLarge for more than were announced, Invalid when the client goes away."""
    room = upload.info.length - offset
    check_announced(request, room)
    writer: Writer = await run_in_threadpool(upload.writer, offset)
    try:
        await take_in(request, room, writer.write)
    except TooLarge:
        writer.offset = offset
        raise
    finally:
        await run_in_threadpool(_save, upload, writer)
    return writer.offset


def _save(upload: Upload, writer: Writer) -> None:
    """Keeps what arrived, also of a piece that broke off."""
    writer.close()
    # The last byte is acknowledged when the file as a whole is recorded: a client that saw its upload complete before a
    # crash would never ask again.
    if writer.offset < upload.info.length:
        upload.acknowledge(writer.offset)


def _complete(parts: Services, context: Context, upload: Upload) -> None:
    """Makes the bytes a blob and records the file as received: once, though a crash may make the client send its last
    piece again.
    """
    info, cause = upload.info, f"upload-{upload.id}"
    known = {"stream": f"data-{info.task_id}", "cause": cause}
    if parts.database.query_one(queries("data")["upload_received"], known) is None:
        blob = parts.blobs.put(upload.read())
        file = ReceivedFile(name=info.name, sha256=blob.sha256, size=blob.size)
        try:
            parts.app.data.receive(replace(context, causation_id=cause), info.task_id, [file])
        except (NotFound, Invalid, RequestInProgress):
            upload.forget()
            raise
    upload.forget()


def _open(request: Request, task_id: int, upload_id: str) -> tuple[Context, Upload]:
    """Raises NotFound, Forbidden."""
    context = caller(request)
    upload = _uploads(services(request)).find(upload_id, context.actor.user_id, task_id)
    find_task(request, context, "upload", task_id)
    return context, upload


@asynccontextmanager
async def _turn(upload: Upload) -> AsyncIterator[int]:
    """Nobody else writes to the upload meanwhile; gives the number of bytes that have arrived. Raises NotFound when it
    is over, Conflict when the others don't come to an end.
    """
    deadline = time.monotonic() + TURN_SECONDS
    while (lock := await run_in_threadpool(upload.try_lock)) is None:
        if time.monotonic() > deadline:
            raise Conflict("Another piece of this file is still being received")
        await asyncio.sleep(0.05)
    with lock:
        yield await run_in_threadpool(lambda: upload.offset)


def _uploads(parts: Services) -> Uploads:
    return Uploads(parts.settings.uploads)


def _header_number(request: Request, name: str) -> int:
    text = request.headers.get(name, "")
    if not text.isascii() or not text.isdigit() or len(text) > 18:
        raise Invalid([f"The header {name.title()} must be a number of bytes"])
    return int(text)


def _file_name(metadata: str) -> str:
    """The file's safe base name, out of `filename <base64>,…`. Raises Invalid."""
    for pair in metadata.split(","):
        key, _, value = pair.strip().partition(" ")
        if key == "filename":
            try:
                return safe_name(base64.b64decode(value, validate=True).decode())
            except (binascii.Error, UnicodeDecodeError):
                break
    raise Invalid(["Upload-Metadata must give the file's name: filename, a space, the name in base64"])
