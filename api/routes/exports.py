"""Exports of tasks, jobs and projects: asking for a file, and fetching it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.authorization import require
from api.caller import caller
from api.files import file_response
from api.finding import NOUNS
from api.responses import json_response
from api.services import services
from api.targets import find_target, flag, format_name, stored_here
from domain.errors import Invalid, NotFound
from infra.formats import registry
from projections.listing import find_one
from projections.resources import REQUESTS

router = APIRouter()

QUERY = {
    "parameters": [
        {"name": "format", "in": "query", "required": True, "schema": {"type": "string"}},
        {"name": "save_images", "in": "query", "schema": {"type": "boolean", "default": False}},
        {"name": "filename", "in": "query", "schema": {"type": "string"}},
    ]
}
MAX_FILENAME = 255


def _add_routes(noun: str) -> None:
    """FastAPI needs functions of their own for each path."""

    def export(request: Request, target_id: int) -> Response:
        """Asks for a file with the annotations and, with `save_images`, the images. The answer names the request whose
        `result_url` will lead to it.
        """
        context = caller(request)
        target = find_target(request, context, noun, "view", target_id)
        stored_here(request)
        filename = request.query_params.get("filename", "")[:MAX_FILENAME]
        export_id = services(request).app.exports.queue(
            context,
            target,
            format_name(request, registry.exporter),
            save_images=bool(flag(request, "save_images")),
            filename=filename.replace("\0", "") or None,
        )
        return json_response({"rq_id": export_id}, 202)

    def download(request: Request, target_id: int) -> Response:
        """The file that an export made; for whoever asked for it, for a day."""
        return _download(request, noun, target_id)

    path, tags = f"/api/{noun}s/{{target_id}}/dataset", [f"{noun}s"]
    add: Callable[..., None] = router.add_api_route
    add(f"{path}/export", export, methods=["POST"], status_code=202, openapi_extra=QUERY, tags=tags)
    add(f"{path}/download", download, methods=["GET"], tags=tags)
    add(f"{path}/download", download, methods=["HEAD"], tags=tags)


def _download(request: Request, noun: str, target_id: int) -> Response:
    context, parts = caller(request), services(request)
    row = find_one(parts.database.query, REQUESTS, request.query_params.get("rq_id", ""))
    if row is None or (row["action"], row["target"], row[f"{noun}_id"]) != ("export", noun, target_id):
        raise Invalid(["There is no such export"])
    require(context.actor, "view", "request", row)
    return exported_file(request, row)


def exported_file(request: Request, row: dict[str, Any]) -> Response:
    """What a request's export made. Raises Invalid while there is nothing, NotFound when there is nothing any more."""
    if row["status"] != "finished":
        raise Invalid([f"The export is {row['status']}: there is no file yet"])
    if row["expiry_date"] < datetime.now(UTC):
        raise NotFound("The file is not kept any longer; export it again")
    result = row["result"]
    disposition = f'attachment; filename="{result["filename"]}"'
    path = services(request).exchange.path(result["sha256"])
    return file_response(request, path, result["content_type"], {"Content-Disposition": disposition})


for _noun in NOUNS:
    _add_routes(_noun)
