"""Large files, sent piece by piece (the tus protocol, in CVAT's dialect), wherever they go."""

from __future__ import annotations

import asyncio
import base64
import binascii
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from urllib.parse import quote

from fastapi import Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response

from api import urls
from api.numbers import natural
from api.responses import json_response
from api.services import Services, services
from api.uploads.incoming import check_announced, take_in
from api.uploads.unfinished import Info, Upload, Uploads, Writer
from domain.errors import Conflict, Invalid, NotFound, TooLarge
from domain.event import Context
from domain.file_names import safe_name
from projections.named_queries import queries

TUS = {"Tus-Resumable": "1.0.0"}
TURN_SECONDS = 30.0
"""How long a piece waits while another piece of the same upload is being written."""


def announced_name(request: Request) -> str:
    """The file's safe base name, out of `Upload-Metadata`: `filename <base64>,…`. Raises Invalid."""
    for pair in request.headers.get("upload-metadata", "").split(","):
        key, _, value = pair.strip().partition(" ")
        if key == "filename":
            try:
                return safe_name(base64.b64decode(value, validate=True).decode())
            except (binascii.Error, UnicodeDecodeError):
                break
    raise Invalid(["Upload-Metadata must give the file's name: filename, a space, the name in base64"])


def open_upload(request: Request, context: Context, target: str, name: str, *, known_by_id: bool) -> Response:
    """Opens an upload of `Upload-Length` bytes. `known_by_id`: the client will speak of the file by the upload's id,
    not by its name.
    """
    parts = services(request)
    length = _header_number(request, "upload-length")
    if length > parts.settings.max_upload_bytes:
        raise TooLarge(f"A file may have at most {parts.settings.max_upload_bytes} bytes")
    if context.actor.user_id is None:
        raise NotFound
    upload_id = uploads(parts).create(Info(context.actor.user_id, target, name, length))
    shown = upload_id if known_by_id else name if name.isascii() else quote(name)
    location = f"{urls.base(request)}/api/{target}/{upload_id}"
    return Response(status_code=201, headers=TUS | {"Location": location, "Upload-Filename": shown})


async def add_piece(request: Request, upload: Upload, complete: Callable[[Upload], None]) -> Response:
    """Adds bytes at `Upload-Offset`, which must be the number of those that have arrived. The answer says how many are
    safe on disk now. `complete`: what is to be done after the last one, in a thread.
    """
    offset = _header_number(request, "upload-offset")
    async with _turn(upload) as present:
        if offset != present:
            detail = f"{present} bytes have arrived, not {offset}"
            return json_response({"detail": detail}, 409, TUS | {"Upload-Offset": str(present)})
        now = await _write(request, upload, offset)
        if now == upload.info.length:
            await run_in_threadpool(complete, upload)
    return Response(status_code=204, headers=TUS | {"Upload-Offset": str(now)})


def offset_response(upload: Upload) -> Response:
    """How many bytes have arrived."""
    numbers = {"Upload-Offset": str(upload.offset), "Upload-Length": str(upload.info.length)}
    return Response(headers=TUS | numbers | {"Cache-Control": "no-store"})


def uploads(parts: Services) -> Uploads:
    return Uploads(parts.settings.uploads)


def recorded(parts: Services, stream: str, cause: str) -> bool:
    """Whether the stream has an event that an upload caused."""
    return parts.database.query_one(queries("data")["upload_recorded"], {"stream": stream, "cause": cause}) is not None


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
    # The last byte is acknowledged when the file as a whole is taken over: a client that saw its upload complete before
    # a crash would never ask again.
    if writer.offset < upload.info.length:
        upload.acknowledge(writer.offset)


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


def _header_number(request: Request, name: str) -> int:
    number = natural(request.headers.get(name, ""))
    if number is None:
        raise Invalid([f"The header {name.title()} must be a number of bytes"])
    return number
