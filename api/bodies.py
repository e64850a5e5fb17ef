"""Reading request bodies within bounds."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import Depends
from starlette.requests import Request

from api.services import services
from api.uploads.incoming import check_announced
from domain.errors import Invalid, TooLarge


async def raw_json(request: Request) -> bytes:
    """The body, at most `ANNALS_MAX_JSON_BYTES` long; a dependency of routes that parse it in their own thread."""
    limit = services(request).settings.max_json_bytes
    check_announced(request, limit)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise TooLarge
    return bytes(body)


RawBody = Annotated[bytes, Depends(raw_json)]
"""The parameter of a route that parses its body in its own thread."""


def parsed(body: bytes) -> Any:
    """Raises Invalid for anything but JSON in UTF-8."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise Invalid({"detail": f"JSON parse error - {error}"}) from None
