"""Comments: what people say about issues."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import urls
from api.authorization import Action, require
from api.caller import caller
from api.paging import page_response
from api.responses import json_response, no_content
from api.routes.issues import find_issue
from api.schemas.issues import CommentPatch, CommentWrite
from api.services import services
from api.views import issues as views
from domain.errors import Invalid
from domain.event import Context
from projections.listing import find_one
from projections.resources import COMMENTS, ISSUES

router = APIRouter(prefix="/api/comments", tags=["comments"])


@router.get("")
def list_comments(request: Request) -> Response:
    """The comments on the issues that the caller sees, newest first."""
    return page_response(request, caller(request), COMMENTS, views.comment)


@router.post("", status_code=201)
def create(request: Request, body: CommentWrite) -> Response:
    """Says something about an issue."""
    context = caller(request)
    if find_one(services(request).database.query, ISSUES, body.issue) is None:
        raise Invalid({"issue": [f'Invalid pk "{body.issue}" - object does not exist.']})
    find_issue(request, context, "view", body.issue)
    return _comment_response(
        request, context, services(request).app.issues.comment(context, body.issue, body.message), 201
    )


@router.get("/{comment_id}")
def retrieve(request: Request, comment_id: int) -> Response:
    """One comment."""
    return _comment_response(request, caller(request), comment_id)


@router.patch("/{comment_id}")
def update(request: Request, comment_id: int, body: CommentPatch) -> Response:
    """Puts a comment in other words."""
    context = caller(request)
    given = body.given()
    row = _find(request, context, "update", comment_id)
    if "message" in given:
        services(request).app.issues.edit_comment(context, row["issue_id"], comment_id, given["message"])
    return _comment_response(request, context, comment_id)


@router.delete("/{comment_id}", status_code=204)
def delete(request: Request, comment_id: int) -> Response:
    """Takes a comment back."""
    context = caller(request)
    row = _find(request, context, "delete", comment_id)
    services(request).app.issues.delete_comment(context, row["issue_id"], comment_id)
    return no_content()


def _find(request: Request, context: Context, action: Action, comment_id: int) -> dict[str, Any]:
    row = find_one(services(request).database.query, COMMENTS, comment_id)
    return require(context.actor, action, "comment", row)


def _comment_response(request: Request, context: Context, comment_id: int, status: int = 200) -> Response:
    row = _find(request, context, "view", comment_id)
    return json_response(views.comment(row, urls.base(request)), status)
