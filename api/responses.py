"""JSON answers, written by orjson: dates in UTC with `Z`, as CVAT writes them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.responses import Response

OPTIONS = orjson.OPT_UTC_Z | orjson.OPT_NAIVE_UTC


def json_response(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    return Response(orjson.dumps(content, option=OPTIONS), status, dict(headers or {}), media_type="application/json")


def json_bytes(content: bytes, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """`content` is JSON already, say from the database."""
    return Response(content, status, dict(headers or {}), media_type="application/json")


def no_content() -> Response:
    return Response(status_code=204)


def text_response(text: str, status: int) -> Response:
    return Response(text, status, media_type="text/plain")
