"""Issues: what reviewers find in a job."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import urls
from api.authorization import Action, require
from api.caller import caller
from api.finding import find_resource
from api.paging import page_response
from api.responses import json_response, no_content
from api.schemas.issues import IssuePatch, IssueWrite
from api.services import services
from api.views import issues as views
from domain.errors import Invalid
from domain.event import Context
from domain.issue import NewIssue
from projections.listing import find_one
from projections.resources import ISSUES, JOBS

router = APIRouter(prefix="/api/issues", tags=["issues"])


@router.get("")
def list_issues(request: Request) -> Response:
    """The issues of the jobs that the caller has a part in, and their own, newest first; all for admins."""
    return page_response(request, caller(request), ISSUES, views.issue)


@router.post("", status_code=201)
def create(request: Request, body: IssueWrite) -> Response:
    """Opens an issue with its first comment."""
    context = caller(request)
    if find_one(services(request).database.query, JOBS, body.job) is None:
        raise Invalid({"job": [f'Invalid pk "{body.job}" - object does not exist.']})
    find_resource(request, context, "job", "annotate", body.job)
    wanted = NewIssue(body.job, body.frame, body.position, body.message, body.assignee, body.resolved)
    return _issue_response(request, context, services(request).app.issues.open(context, wanted), 201)


@router.get("/{issue_id}")
def retrieve(request: Request, issue_id: int) -> Response:
    """One issue."""
    return _issue_response(request, caller(request), issue_id)


@router.patch("/{issue_id}")
def update(request: Request, issue_id: int, body: IssuePatch) -> Response:
    """Moves an issue, hands it to somebody, resolves or reopens it."""
    context = caller(request)
    given = body.given()
    find_issue(request, context, "update", issue_id)
    resolved = given.pop("resolved", None)
    if "assignee" in given:
        given["assignee_id"] = given.pop("assignee")
    services(request).app.issues.update(context, issue_id, given, resolved=resolved)
    return _issue_response(request, context, issue_id)


@router.delete("/{issue_id}", status_code=204)
def delete(request: Request, issue_id: int) -> Response:
    """Takes an issue away, with its comments."""
    context = caller(request)
    find_issue(request, context, "delete", issue_id)
    services(request).app.issues.delete(context, issue_id)
    return no_content()


def find_issue(request: Request, context: Context, action: Action, issue_id: int) -> dict[str, Any]:
    """The issue's row. Raises NotFound, Forbidden."""
    return require(context.actor, action, "issue", find_one(services(request).database.query, ISSUES, issue_id))


def _issue_response(request: Request, context: Context, issue_id: int, status: int = 200) -> Response:
    row = find_issue(request, context, "view", issue_id)
    return json_response(views.issue(row, urls.base(request)), status)
