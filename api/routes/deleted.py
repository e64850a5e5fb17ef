"""What was deleted, and bringing it back."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.authorization import require
from api.caller import caller
from api.paging import page_response
from api.responses import json_response
from api.schemas.common import Body, Text
from api.services import services
from api.views import deleted as views
from projections.listing import find_one
from projections.resources import DELETED

router = APIRouter(prefix="/api/log", tags=["log"])


class Restoration(Body):
    """What is to come back: `project-3`, `task-17`, `job-5` or `label-8`."""

    stream: Text


@router.get("/deleted")
def list_deleted(request: Request) -> Response:
    """What the caller may bring back, the last deletion first."""
    return page_response(request, caller(request), DELETED, views.deleted)


@router.post("/restore")
def restore(request: Request, body: Restoration) -> Response:
    """Brings back a deleted project, task, job or label, with all that went with it. 409 when something is in the way:
    the message says what.
    """
    context = caller(request)
    if not context.actor.is_admin:  # who is told whether it stands, waits for its parent, was purged or never was
        row = find_one(services(request).database.query, DELETED, body.stream, "stream")
        require(context.actor, "restore", "deleted", row)
    services(request).app.restoration.restore(context, body.stream)
    return json_response({"restored": body.stream})
