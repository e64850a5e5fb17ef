"""Logging in and out."""

from __future__ import annotations

import secrets

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.caller import check_password, identify, user_agent
from api.responses import json_response
from api.schemas.auth import LoginWrite
from api.services import services
from domain.errors import Invalid
from domain.event import Context
from domain.user import LOGIN_LASTS

router = APIRouter(prefix="/api/auth", tags=["auth"])


@router.post("/login")
def login(request: Request, body: LoginWrite) -> Response:
    """Checks the password; answers with a token (`key`), a session cookie and the CSRF cookie that goes with it."""
    if not body.username and not body.email:
        raise Invalid({"non_field_errors": ['Must include "username" or "email" and "password".']})
    parts = services(request)
    actor = check_password(parts, body.username or None, body.email or None, body.password)
    if actor is None or actor.user_id is None:
        raise Invalid({"non_field_errors": ["Unable to log in with provided credentials."]})
    context = Context(actor, correlation_id=request.state.request_id, user_agent=user_agent(request))
    opened = parts.app.users.log_in(context, actor.user_id)
    response = json_response({"key": opened.token})
    # Clients split the joined Set-Cookie headers at commas and want each to end in key=value: so no Expires, no bare
    # flag at the end.
    age = int(LOGIN_LASTS.total_seconds())
    cookies = (f"csrftoken={secrets.token_hex(16)}; ", f"sessionid={opened.cookie}; HttpOnly; ")
    for cookie in cookies:
        response.headers.append("set-cookie", f"{cookie}Path=/; Max-Age={age}; SameSite=Lax")
    return response


@router.post("/logout")
def logout(request: Request) -> Response:
    """Ends the login that the request comes with. Without one there is nothing to end."""
    identity = identify(request)
    parts = services(request)
    if identity is not None and identity.login_id is not None and identity.actor.user_id is not None:
        context = Context(identity.actor, correlation_id=request.state.request_id, user_agent=user_agent(request))
        parts.app.users.log_out(context, identity.actor.user_id, identity.login_id)
        parts.identities.forget()
    response = json_response({"detail": "Successfully logged out."})
    for name in ("csrftoken", "sessionid"):
        response.headers.append("set-cookie", f"{name}=; Path=/; Max-Age=0; SameSite=Lax")
    return response
