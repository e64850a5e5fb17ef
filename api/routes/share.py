"""The share, for those who look for files to make tasks from."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from api.caller import caller
from api.responses import json_response
from api.services import services
from domain.errors import Invalid, MediaError
from domain.media import kind
from infra.share import Share

router = APIRouter(prefix="/api/server", tags=["server"])


@router.get("/share")
def share(
    request: Request,
    directory: str = "/",
    search: Annotated[str, Query(description="How the names begin that are wanted.")] = "",
) -> Response:
    """What is in a folder of the share: name, type (REG or DIR), and kind of file. Nothing where there is no share."""
    caller(request)
    root = services(request).settings.share
    if root is None:
        return json_response([])
    try:
        entries = Share(root).entries(directory)
    except MediaError as error:
        raise Invalid(error.message) from None
    return json_response(
        [
            {"name": entry.name, "type": "DIR", "mime_type": "DIR"}
            if entry.is_folder
            else {"name": entry.name, "type": "REG", "mime_type": kind(entry.name)}
            for entry in entries
            if entry.name.startswith(search)
        ]
    )
