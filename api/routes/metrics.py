"""`GET /metrics`, for Prometheus."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.caller import caller
from api.readings import CacheReadings, DatabaseReadings
from api.services import services
from domain.errors import Forbidden
from infra.metrics.disk import DiskSpace
from infra.metrics.registry import CONTENT_TYPE, exposition
from infra.metrics.serving import is_scraper

router = APIRouter(tags=["server"])


@router.get("/metrics", include_in_schema=False)
def metrics(request: Request) -> Response:
    """The requests, the log, its followers, the queues, the disks and the last verifications, in Prometheus' text
    format. For admins, and whoever sends the token of the settings.
    """
    parts = services(request)
    if not is_scraper(parts.settings, request.headers.get("authorization")) and not caller(request).actor.is_admin:
        raise Forbidden
    database = DatabaseReadings(parts.database, parts.followers)
    text = exposition(database, CacheReadings(parts.chunks), DiskSpace(parts.settings))
    return Response(text, media_type=CONTENT_TYPE)
