"""What user interfaces report of what is done in them."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.caller import caller
from api.client_address import client_address
from api.responses import json_response
from api.schemas.telemetry import ClientEventsWrite
from api.services import services
from api.views import telemetry as views

router = APIRouter(tags=["events"])


@router.post("/api/events", status_code=201)
def report(request: Request, body: ClientEventsWrite) -> Response:
    """Takes a report. When it is answered, all of it is in the log, and so will be in `cvat.events`, with the time
    worked (`send:working_time`) that follows from it; `user:activity` only counts for that. Times are corrected by the
    difference between the client's clock and the server's. Only scopes of CVAT's clients are taken.
    """
    context = caller(request)
    parts = services(request)
    address = client_address(request, parts.settings.proxies)
    taken = parts.app.telemetry.report(context, body.report(), address or None)
    return json_response(views.report(taken, context.actor), 201)
