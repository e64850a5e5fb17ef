"""Chunks, frames and previews of a task's or a job's data: which frames are meant, whatever they are made from."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from api.media.pictures import Pictures
from api.media.prepared import Found, Ready, Unmade, prepared_response
from api.media.query import Wanted
from api.media.source import Media, Row
from api.media.videos import Video
from api.services import Services, services
from domain.errors import Invalid, NotFound
from domain.frames import chunk_by_index, chunk_by_number, sparse_chunk_by_number
from infra.media.chunks import file_checksum
from projections.named_queries import queries


class NoData(NotFound):
    """There is no data yet."""


async def preview_response(request: Request, find: Callable[[], Row]) -> Response:
    """A small picture of the first frame of what `find` finds."""
    may_be_empty = "handling=empty" in request.headers.get("prefer", "").replace(" ", "").lower()
    try:
        response = await prepared_response(request, lambda: locate_preview(find(), services(request)))
    except NoData:
        if not may_be_empty:
            raise
        response = Response(status_code=204)
    response.headers["Vary"] = "Prefer"
    if may_be_empty:
        response.headers["Preference-Applied"] = "handling=empty"
    return response


def locate(row: Row, wanted: Wanted, parts: Services) -> Found:
    """Raises NotFound when there is no data or no such image, Invalid for a number out of range."""
    _require_data(row)
    if wanted.type == "chunk":
        return _chunk(row, wanted, parts)
    assert wanted.number is not None
    if wanted.number not in frames_of(row):
        raise Invalid(f"Incorrect requested frame number: {wanted.number}, not one of {row['first']} to {row['last']}")
    media = _media(row, parts)
    if wanted.type == "context_image":
        return media.context(wanted.number)
    return media.frame(wanted.number, wanted.quality)


def locate_preview(row: Row, parts: Services) -> Found:
    """A small picture of the first frame. Raises NotFound when there is no data."""
    _require_data(row)
    return _media(row, parts).preview(frames_of(row)[0])


def frames_of(row: Row) -> Sequence[int]:
    """The frames of a task or a job, ascending; a ground truth job has but some of those between its first and last."""
    return row["included"] if row["included"] is not None else range(row["first"], row["last"] + 1)


def metas(row: Row, parts: Services) -> str:
    """The frames of a task or job, each as clients are told about it: JSON text without the brackets. Of a video there
    is one entry for all. Raises NoData.
    """
    _require_data(row)
    if row["video"] is not None:
        entry = {"width": row["video_width"], "height": row["video_height"], "name": row["video"]}
        return orjson.dumps(entry | {"related_files": 0, "has_related_context": False}).decode()
    of = {name: row[name] for name in ("task_id", "first", "last", "included")}
    found = parts.database.query_one(queries("data")["frame_metas"], of)
    return str(found["metas"]) if found else ""


def _media(row: Row, parts: Services) -> Media:
    return Pictures(row, parts) if row["video"] is None else Video(row, parts)


def _chunk(row: Row, wanted: Wanted, parts: Services) -> Unmade:
    chosen = _chosen(row, wanted)
    chunk = _media(row, parts).chunk(chosen, wanted.quality)

    def ready(path: Path) -> Ready:
        updated = row["updated_date"].isoformat().replace("+00:00", "Z")
        return Ready(path, chunk.mime, {"X-Checksum": str(file_checksum(path)), "X-Updated-Date": updated})

    # By the frames, not by its number: the chunks of a task and of its jobs that hold the same frames are one file.
    # The time tells the data from that of another database that was once served from the same folder.
    stamp = int(row["updated_date"].timestamp() * 1_000_000)
    return Unmade(f"chunk_{row['task_id']}_{stamp}_{_numbers(chosen)}_{wanted.quality}", chunk.make, ready)


def _chosen(row: Row, wanted: Wanted) -> Sequence[int | None]:
    """The frames of a chunk: a range, or a list for a job that has but some frames of its task."""
    frames, chunk_size = frames_of(row), row["chunk_size"]
    if wanted.index is not None:
        return chunk_by_index(frames, chunk_size, wanted.index)
    assert wanted.number is not None
    if isinstance(frames, range):
        return chunk_by_number(frames, chunk_size, wanted.number)
    return sparse_chunk_by_number(frames, row["last"] + 1, chunk_size, wanted.number)


def _numbers(frames: Sequence[int | None]) -> str:
    """Frames in a key: the first and last of a range. A list differs from any range: of a video it is another file."""
    if isinstance(frames, range):
        return f"{frames[0]}-{frames[-1]}"
    return hashlib.blake2s(orjson.dumps(list(frames)), digest_size=16).hexdigest()


def _require_data(row: dict[str, Any]) -> None:
    if row["last"] is None:
        raise NoData
