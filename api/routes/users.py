"""Users."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import urls
from api.authorization import require
from api.caller import caller, refuse_access_tokens
from api.paging import page_response
from api.responses import json_response, no_content
from api.schemas.users import OF_ADMINS, PROFILE, UserPatch, wanted_role
from api.services import services
from api.views import users as views
from domain.errors import Forbidden, NotFound
from domain.event import Context
from projections.listing import find_one
from projections.resources import USERS

router = APIRouter(prefix="/api/users", tags=["users"])


@router.get("")
def list_users(request: Request) -> Response:
    """Everybody: the basics, or for admins all of it."""
    context = caller(request)
    return page_response(request, context, USERS, views.full if context.actor.is_admin else views.basic)


@router.get("/self")
def self(request: Request) -> Response:
    """Who the caller is."""
    context = caller(request)
    return _answer(request, context, _row(request, context.actor.user_id))


@router.get("/{user_id:int}")
def retrieve(request: Request, user_id: int) -> Response:
    """All of it for the user and for admins, the basics for others."""
    return _answer(request, caller(request), _row(request, user_id))


@router.patch("/{user_id:int}")
def update(request: Request, user_id: int, body: UserPatch) -> Response:
    """Changes names and e-mail address: the user's own, or by admins, who also change what the user may do."""
    context = caller(request)
    row = require(context.actor, "update", "user", _row(request, user_id))
    given = body.given()
    if not context.actor.is_admin and OF_ADMINS & given.keys():
        names = ", ".join(sorted(OF_ADMINS & given.keys()))
        raise Forbidden(f"You do not have permissions to access some of these fields: {names}")
    if "email" in given:
        refuse_access_tokens(request)
    services(request).app.users.update(
        context,
        user_id,
        profile={name: given[name] for name in PROFILE if name in given},
        role=wanted_role(given, row["role"]),
        is_active=given.get("is_active"),
    )
    services(request).identities.forget()
    return _answer(request, context, _row(request, user_id))


@router.delete("/{user_id:int}", status_code=204)
def delete(request: Request, user_id: int) -> Response:
    """Deletes a user, for good, with logins and access tokens. What they owned stays as it is, with their name."""
    context = caller(request)
    require(context.actor, "delete", "user", _row(request, user_id))
    if user_id == context.actor.user_id:
        refuse_access_tokens(request)
    services(request).app.users.delete(context, user_id)
    services(request).identities.forget()
    return no_content()


def _row(request: Request, user_id: int | None) -> dict[str, Any]:
    row = find_one(services(request).database.query, USERS, user_id)
    if row is None:
        raise NotFound
    return row


def _answer(request: Request, context: Context, row: dict[str, Any]) -> Response:
    view = views.full if context.actor.is_admin or context.actor.user_id == row["id"] else views.basic
    return json_response(view(row, urls.base(request)))
