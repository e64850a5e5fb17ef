"""Logging in and out, and changing one's password."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.caller import check_password, identify, own_context, refuse_access_tokens
from api.responses import json_response
from api.schemas.auth import LoginWrite, PasswordChangeWrite
from api.services import services
from api.session_cookies import clear_cookies, set_cookies
from domain.errors import Invalid, NotAuthenticated

router = APIRouter(prefix="/api/auth", tags=["auth"])


@router.post("/login")
def login(request: Request, body: LoginWrite) -> Response:
    """Checks the password; answers with a token (`key`), a session cookie and the CSRF cookie that goes with it."""
    if not body.username and not body.email:
        raise Invalid({"non_field_errors": ['Must include "username" or "email" and "password".']})
    actor = check_password(request, body.username or None, body.email or None, body.password)
    if actor is None or actor.user_id is None:
        raise Invalid({"non_field_errors": ["Unable to log in with provided credentials."]})
    opened = services(request).app.users.log_in(own_context(request, actor), actor.user_id)
    response = json_response({"key": opened.token})
    set_cookies(request, response, opened)
    return response


@router.post("/logout")
def logout(request: Request) -> Response:
    """Ends the login that the request comes with. Without one there is nothing to end."""
    identity = identify(request)
    parts = services(request)
    if identity is not None and identity.login_id is not None and identity.actor.user_id is not None:
        context = own_context(request, identity.actor)
        parts.app.users.log_out(context, identity.actor.user_id, identity.login_id)
        parts.identities.forget()
    response = json_response({"detail": "Successfully logged out."})
    clear_cookies(response)
    return response


@router.post("/password/change")
def change_password(request: Request, body: PasswordChangeWrite) -> Response:
    """Replaces the caller's password. All of their other logins end."""
    identity = refuse_access_tokens(request)
    actor, parts = identity.actor, services(request)
    if actor.user_id is None:
        raise NotAuthenticated
    if check_password(request, actor.username, None, body.old_password) is None:
        raise Invalid({"old_password": ["Your old password was entered incorrectly. Please enter it again."]})
    if body.new_password1 != body.new_password2:
        raise Invalid({"new_password2": ["The two password fields didn't match."]})
    parts.app.users.change_password(
        own_context(request, actor),
        actor.user_id,
        body.new_password1,
        field="new_password2",
        keep_login=identity.login_id,
    )
    parts.identities.forget()
    return json_response({"detail": "New password has been saved."})
