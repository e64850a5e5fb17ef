"""Access tokens of the caller's own. With one of them they can be read, but not made, changed or revoked."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import urls
from api.caller import caller, identify, own_context, refuse_access_tokens
from api.paging import page_response
from api.responses import json_response, no_content
from api.schemas.access_tokens import AccessTokenPatch, AccessTokenWrite
from api.services import services
from api.views import access_tokens as views
from domain.errors import Forbidden, NotAuthenticated, NotFound
from domain.event import Context
from projections.listing import find_one
from projections.resources import ACCESS_TOKENS

router = APIRouter(prefix="/api/auth/access_tokens", tags=["auth"])


@router.get("")
def list_tokens(request: Request) -> Response:
    """The caller's own, also those that have expired."""
    context = caller(request)
    owner = {"owner_id": str(context.actor.user_id)}
    return page_response(request, context, ACCESS_TOKENS, views.access_token, owner)


@router.post("", status_code=201)
def create(request: Request, body: AccessTokenWrite) -> Response:
    """Makes a token. Its `value` is in this answer and never told again."""
    context, user_id = _person(request)
    token_id, value = services(request).app.access_tokens.create(
        context, user_id, body.name, read_only=body.read_only, expiry_date=body.expiry_date
    )
    return json_response({**_view(request, _own(request, context, token_id)), "value": value}, 201)


@router.get("/self")
def self(request: Request) -> Response:
    """The token that the request comes with."""
    context, identity = caller(request), identify(request)
    if identity is None or identity.access_token_id is None:
        raise Forbidden("This is only told to who comes with an access token.")
    return json_response(_view(request, _own(request, context, identity.access_token_id)))


@router.get("/{token_id:int}")
def retrieve(request: Request, token_id: int) -> Response:
    """One token."""
    return json_response(_view(request, _own(request, caller(request), token_id)))


@router.patch("/{token_id:int}")
def update(request: Request, token_id: int, body: AccessTokenPatch) -> Response:
    """Changes a token's name, end or rights."""
    context, _ = _person(request)
    _own(request, context, token_id)
    services(request).app.access_tokens.update(context, token_id, body.changes())
    services(request).identities.forget()
    return json_response(_view(request, _own(request, context, token_id)))


@router.delete("/{token_id:int}", status_code=204)
def revoke(request: Request, token_id: int) -> Response:
    """Revokes a token: from now on it opens nothing."""
    context, _ = _person(request)
    _own(request, context, token_id)
    services(request).app.access_tokens.revoke(context, token_id)
    services(request).identities.forget()
    return no_content()


def _person(request: Request) -> tuple[Context, int]:
    """Somebody who comes without an access token, and their id."""
    actor = refuse_access_tokens(request).actor
    if actor.user_id is None:
        raise NotAuthenticated
    return own_context(request, actor), actor.user_id


def _own(request: Request, context: Context, token_id: int) -> dict[str, Any]:
    """A token of the caller's. Others' do not exist for him, nor for administrators."""
    row = find_one(services(request).database.query, ACCESS_TOKENS, token_id)
    if row is None or row["owner_id"] != context.actor.user_id:
        raise NotFound
    return row


def _view(request: Request, row: dict[str, Any]) -> dict[str, Any]:
    return views.access_token(row, urls.base(request))
