"""What CVAT's web UI asks of parts of CVAT that are not here: well-formed answers that there is nothing, and clear
refusals, so that no page of it breaks. Not in the schema: it tells what is offered.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.caller import caller
from api.responses import json_response
from domain.errors import Invalid, NotFound

router = APIRouter()

Shape = Callable[[Request], Any]
"""Makes the body of an answer."""


def _page(_request: Request) -> Any:
    return {"count": 0, "next": None, "previous": None, "results": []}


def _array(_request: Request) -> Any:
    return []


def _nothing(_request: Request) -> Any:
    raise NotFound


def _webhook_events(request: Request) -> Any:
    kind = request.query_params.get("type", "organization")
    if kind not in ("organization", "project", "server"):
        raise Invalid({"type": [f'"{kind}" is not a valid choice.']})
    return {"webhook_type": kind, "events": []}


SHAPES: dict[str, tuple[str, Shape]] = {
    "/api/organizations": ("Organizations", _page),
    "/api/organizations/{id:int}": ("Organizations", _nothing),
    "/api/invitations": ("Invitations", _page),
    "/api/invitations/{key}": ("Invitations", _nothing),
    "/api/memberships": ("Memberships", _page),
    "/api/memberships/{id:int}": ("Memberships", _nothing),
    "/api/lambda/functions": ("Functions", _array),
    "/api/lambda/functions/{id}": ("Functions", _nothing),
    "/api/lambda/requests": ("Functions", _array),
    "/api/lambda/requests/{id}": ("Functions", _nothing),
    "/api/cloudstorages": ("Cloud storages", _page),
    "/api/cloudstorages/{id:int}": ("Cloud storages", _nothing),
    "/api/quality/settings": ("Quality checks", _page),
    "/api/quality/settings/{id:int}": ("Quality checks", _nothing),
    "/api/quality/reports": ("Quality checks", _page),
    "/api/quality/reports/{id:int}": ("Quality checks", _nothing),
    "/api/quality/conflicts": ("Quality checks", _page),
    "/api/consensus/settings": ("Consensus merges", _page),
    "/api/consensus/settings/{id:int}": ("Consensus merges", _nothing),
    "/api/consensus/merges": ("Consensus merges", _nothing),
    "/api/webhooks": ("Webhooks", _page),
    "/api/webhooks/events": ("Webhooks", _webhook_events),
    "/api/webhooks/{id:int}": ("Webhooks", _nothing),
    "/api/guides": ("Guides", _nothing),
    "/api/guides/{id:int}": ("Guides", _nothing),
    "/api/assets": ("Guides", _nothing),
    "/api/assets/{id}": ("Guides", _nothing),
}
"""Path → what it is about, and what a GET answers."""

CHANGING = ["POST", "PUT", "PATCH", "DELETE"]


def _answer(shape: Shape) -> Callable[[Request], Response]:
    def answer(request: Request) -> Response:
        caller(request)
        return json_response(shape(request))

    return answer


def _refusal(what: str) -> Callable[[Request], Response]:
    def refuse(request: Request) -> Response:
        caller(request)
        return json_response({"detail": f"{what} are not offered by this server yet."}, 405, {"Allow": "GET, HEAD"})

    return refuse


async def user_agreements(_request: Request) -> Response:
    """Nobody has to agree to anything. Asked also by those who are not logged in."""
    return json_response([])


def no_functions(request: Request) -> Response:
    """A HEAD of the functions is how the web UI asks whether there is a part that runs them: there is none."""
    caller(request)
    return Response(status_code=404)


router.add_route("/api/user-agreements", user_agreements, methods=["GET"])
router.add_route("/api/lambda/functions", no_functions, methods=["HEAD"])
for path, (what, shape) in SHAPES.items():
    router.add_route(path, _refusal(what), methods=CHANGING)
    router.add_route(path, _answer(shape), methods=["GET"])
