"""Chunks, frames and previews: what a client asks for, found or made, and sent from its file."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.files import file_response
from api.media_query import Wanted
from api.preparing import StillPreparing
from api.responses import json_response
from api.services import Services, services
from domain.errors import Invalid, NotFound
from domain.frames import chunk_by_index, chunk_by_number
from infra.media.chunks import compressed_chunk, file_checksum, original_chunk
from infra.media.frames import compressed_frame, original_frame, preview
from infra.media.images import Frame, open_image, orientation
from projections.named_queries import queries

Row = dict[str, Any]
"""A task's or a job's data: of the queries of_task or of_job."""

RETRY_AFTER_SECONDS = 10
UPRIGHT = 1
"""EXIF's orientation of pixels that are stored as they are displayed."""


class NoData(NotFound):
    """There is no data yet."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A file to be sent."""

    path: Path
    mime: str
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Unmade:
    """A file that `make` has yet to write, to be kept in the cache under `key`."""

    key: str
    make: Callable[[BinaryIO], None]
    ready: Callable[[Path], Ready]


Found = Ready | Unmade
Locate = Callable[[], Found]


async def media_response(request: Request, locate: Locate) -> Response:
    """Sends what `locate` finds; what has to be made first is waited for, within bounds. Raises what that raises."""
    found = await run_in_threadpool(_respond_if_ready, request, locate)
    if isinstance(found, Response):
        return found
    parts = services(request)
    try:
        path = await parts.preparing.get(found.key, partial(parts.chunks.get_or_make, found.key, found.make))
    except StillPreparing as error:
        return _come_again(error)
    return await run_in_threadpool(_respond, request, found.ready(path))


async def preview_response(request: Request, find: Callable[[], Row]) -> Response:
    """A small picture of the first frame of what `find` finds."""
    may_be_empty = "handling=empty" in request.headers.get("prefer", "").replace(" ", "").lower()
    try:
        response = await media_response(request, lambda: locate_preview(find(), services(request)))
    except NoData:
        if not may_be_empty:
            raise
        response = Response(status_code=204)
    response.headers["Vary"] = "Prefer"
    if may_be_empty:
        response.headers["Preference-Applied"] = "handling=empty"
    return response


def _respond_if_ready(request: Request, locate: Locate) -> Response | Unmade:
    found = locate()
    if isinstance(found, Unmade):
        path = services(request).chunks.get(found.key)
        if path is None:
            return found
        found = found.ready(path)
    return _respond(request, found)


def _respond(request: Request, ready: Ready) -> Response:
    return file_response(request, ready.path, ready.mime, ready.headers)


def _come_again(error: StillPreparing) -> Response:
    detail = (
        "This takes longer than a request may wait, and goes on being prepared"
        f" ({error.under_way} in all are under way); ask again in {RETRY_AFTER_SECONDS} seconds."
    )
    return json_response({"detail": detail}, 429, {"Retry-After": str(RETRY_AFTER_SECONDS)})


def locate(row: Row, wanted: Wanted, parts: Services) -> Found:
    """Raises NotFound when there is no data or no such image, Invalid for a number out of range."""
    _require_data(row)
    if wanted.type == "chunk":
        return _chunk(row, wanted, parts)
    assert wanted.number is not None
    if not row["first"] <= wanted.number <= row["last"]:
        raise Invalid(f"Frame {wanted.number} is not one of {row['first']} to {row['last']}")
    if wanted.type == "context_image":
        raise NotFound(f"Frame {wanted.number} has no context images")
    [(sha256, frame)] = _frames(parts, row["task_id"], wanted.number, wanted.number)
    return _compressed(row, sha256, frame) if wanted.quality == "compressed" else _original(sha256, frame)


def locate_preview(row: Row, parts: Services) -> Found:
    """A small picture of the first frame. Raises NotFound when there is no data."""
    _require_data(row)
    [(sha256, frame)] = _frames(parts, row["task_id"], row["first"], row["first"])

    def make(out: BinaryIO) -> None:
        out.write(preview(frame))

    return Unmade(f"preview_{sha256}", make, lambda path: Ready(path, "image/jpeg"))


def _chunk(row: Row, wanted: Wanted, parts: Services) -> Unmade:
    frames = range(row["first"], row["last"] + 1)
    if wanted.index is not None:
        chosen = chunk_by_index(frames, row["chunk_size"], wanted.index)
    else:
        assert wanted.number is not None
        chosen = chunk_by_number(frames, row["chunk_size"], wanted.number)
    task_id, first, last = row["task_id"], chosen[0], chosen[-1]

    def make(out: BinaryIO) -> None:
        images = [frame for _, frame in _frames(parts, task_id, first, last)]
        if wanted.quality == "compressed":
            compressed_chunk(images, row["image_quality"], out)
        else:
            original_chunk(images, out)

    def ready(path: Path) -> Ready:
        updated = row["updated_date"].isoformat().replace("+00:00", "Z")
        return Ready(path, "application/zip", {"X-Checksum": str(file_checksum(path)), "X-Updated-Date": updated})

    # By the frames, not by its number: the chunks of a task and of its jobs that hold the same frames are one file.
    # The time tells the data from that of another database that was once served from the same folder.
    stamp = int(row["updated_date"].timestamp() * 1_000_000)
    return Unmade(f"chunk_{task_id}_{stamp}_{first}-{last}_{wanted.quality}", make, ready)


def _compressed(row: Row, sha256: str, frame: Frame) -> Unmade:
    def make(out: BinaryIO) -> None:
        out.write(compressed_frame(frame, row["image_quality"]))

    return Unmade(f"frame_{sha256}_{row['image_quality']}", make, lambda path: Ready(path, "image/jpeg"))


def _original(sha256: str, frame: Frame) -> Found:
    """The stored file itself, unless EXIF says that it must be turned."""
    with open_image(frame) as image:
        stands, mime = orientation(image) == UPRIGHT, str(image.get_format_mimetype())  # type: ignore[attr-defined]
    mime = "image/jpeg" if mime == "image/mpo" else mime
    if stands:
        return Ready(frame.path, mime)

    def make(out: BinaryIO) -> None:
        out.write(original_frame(frame)[0])

    return Unmade(f"upright_{sha256}", make, lambda path: Ready(path, mime))


def metas(row: Row, parts: Services) -> str:
    """The frames of a task or job, each as clients are told about it: JSON text without the brackets. Raises NoData."""
    _require_data(row)
    found = parts.database.query_one(queries("data")["frame_metas"], _run(row["task_id"], row["first"], row["last"]))
    return str(found["metas"]) if found else ""


def _require_data(row: Row) -> None:
    if row["last"] is None:
        raise NoData


def _frames(parts: Services, task_id: int, first: int, last: int) -> list[tuple[str, Frame]]:
    """Hash and picture of each frame of a run."""
    rows = parts.database.query(queries("data")["frames"], _run(task_id, first, last))
    return [(row["sha256"], Frame(parts.blobs.path(row["sha256"]), row["name"])) for row in rows]


def _run(task_id: int, first: int, last: int) -> dict[str, int]:
    return {"task_id": task_id, "first": first, "last": last}
