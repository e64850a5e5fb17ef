"""Files that are made when somebody asks for them first: sent from the cache, or made while the client waits."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import BinaryIO

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from api.files import file_response
from api.media.preparing import StillPreparing
from api.responses import json_response
from api.services import services
from infra.metrics.chunks import HITS, MISSES

RETRY_AFTER_SECONDS = 10


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


async def prepared_response(request: Request, locate: Locate) -> Response:
    """Sends what `locate` finds; what has to be made first is waited for, within bounds. Raises what that raises."""
    found = await run_in_threadpool(_respond_if_ready, request, locate)
    if isinstance(found, Response):
        return found
    parts = services(request)

    def make(out: BinaryIO) -> None:
        found.make(out)
        parts.reporter.cache_item("create", request, out.seek(0, os.SEEK_END))

    try:
        path = await parts.preparing.get(found.key, partial(parts.chunks.get_or_make, found.key, make))
    except StillPreparing as error:
        return _come_again(error)
    return await run_in_threadpool(_respond, request, found.ready(path))


def _respond_if_ready(request: Request, locate: Locate) -> Response | Unmade:
    found = locate()
    if isinstance(found, Unmade):
        parts = services(request)
        path = parts.chunks.get(found.key)
        (MISSES if path is None else HITS).inc()
        if path is None:
            return found
        parts.reporter.cache_item("read", request, path.stat().st_size)
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
