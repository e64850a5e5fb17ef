"""Users."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import urls
from api.caller import caller
from api.paging import page_response
from api.responses import json_response
from api.services import services
from api.views import users as views
from domain.errors import NotFound
from projections.listing import find_one
from projections.resources import USERS

router = APIRouter(prefix="/api/users", tags=["users"])


@router.get("")
def list_users(request: Request) -> Response:
    """Everybody, as everybody may see them."""
    return page_response(request, caller(request), USERS, views.basic)


@router.get("/self")
def self(request: Request) -> Response:
    """Who the caller is."""
    context = caller(request)
    row = find_one(services(request).database.query, USERS, context.actor.user_id)
    if row is None:
        raise NotFound
    return json_response(views.full(row, urls.base(request)))


@router.get("/{user_id}")
def retrieve(request: Request, user_id: int) -> Response:
    """All of it for the user and for admins, the basics for others."""
    context = caller(request)
    row = find_one(services(request).database.query, USERS, user_id)
    if row is None:
        raise NotFound
    view = views.full if context.actor.is_admin or context.actor.user_id == user_id else views.basic
    return json_response(view(row, urls.base(request)))
