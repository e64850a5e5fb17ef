"""What the server is."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import urls
from api.responses import json_response
from api.services import services
from infra.formats import registry
from infra.formats.registry import Format

router = APIRouter(prefix="/api/server", tags=["server"])

CVAT_VERSION = "2.80.0"
"""The version whose clients this server is made for; they warn about any other."""


@router.get("/about")
async def about(request: Request) -> Response:
    """Name and version. Needs no login."""
    return json_response(
        {
            "name": "Annals",
            "description": "An event-sourced annotation backend: every change is an event, nothing is ever lost.",
            "version": CVAT_VERSION,
            "logo_url": f"{urls.base(request)}/static/logo.svg",
            "subtitle": "Nothing is ever lost",
        }
    )


@router.get("/health/")
@router.get("/health", include_in_schema=False)
def health(request: Request) -> Response:
    """200 when the database answers; 503 with `Retry-After` otherwise. Needs no login."""
    services(request).database.query("SELECT 1 AS one")
    return json_response({"Database": "working"})


@router.get("/annotation/formats")
async def formats() -> Response:
    """In which formats datasets are written (exporters) and read (importers). Needs no login."""
    written = [_format(entry.format) for entry in registry.exporters()]
    return json_response({"importers": [_format(entry.format) for entry in registry.importers()], "exporters": written})


@router.get("/plugins")
async def plugins() -> Response:
    """Which optional parts of CVAT there are: none."""
    return json_response({"GIT_INTEGRATION": False, "ANALYTICS": False, "MODELS": False, "PREDICT": False})


def _format(described: Format) -> dict[str, Any]:
    return {
        "name": described.full_name,
        "version": described.version,
        "ext": described.ext,
        "enabled": described.enabled,
        "dimension": described.dimension,
    }
