"""Making an account for oneself. Offered unless `ANNALS_REGISTRATION` is off."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.caller import own_context
from api.client_address import client_address
from api.login_attempts import network
from api.responses import json_response
from api.schemas.auth import RegisterWrite
from api.services import services
from api.session_cookies import set_cookies
from domain.errors import Invalid
from domain.event import Actor

router = APIRouter(prefix="/api/auth", tags=["auth"])


@router.post("/register", status_code=201)
def register(request: Request, body: RegisterWrite) -> Response:
    """Makes a user like any other and logs them in: `key` is their token. No e-mail is sent and none is verified."""
    parts = services(request)
    address = network(client_address(request, parts.settings.proxies))
    parts.login_attempts.require_address(address)
    parts.login_attempts.count_address(address)
    if body.password1 != body.password2:
        raise Invalid({"non_field_errors": ["The two password fields didn't match."]})
    opened = parts.app.users.sign_up(
        own_context(request, Actor(None, None)),
        body.username,
        body.password1,
        email=body.email,
        first_name=body.first_name,
        last_name=body.last_name,
    )
    told = body.model_dump(include={"username", "email", "first_name", "last_name"})
    response = json_response({**told, "email_verification_required": False, "key": opened.token}, 201)
    set_cookies(request, response, opened)
    return response
