"""Projects."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import urls
from api.authorization import require
from api.caller import caller
from api.paging import page_response
from api.responses import json_response, no_content
from api.schemas import labels
from api.schemas.common import storage
from api.schemas.tasks import ProjectWrite
from api.services import services
from api.views import projects as views
from domain.project import NewProject
from projections.listing import find_one
from projections.resources import PROJECTS

router = APIRouter(prefix="/api/projects", tags=["projects"])


@router.get("")
def list_projects(request: Request) -> Response:
    """The projects that the caller owns or is assigned to; all for admins."""
    return page_response(request, caller(request), PROJECTS, views.project)


@router.post("", status_code=201)
def create(request: Request, body: ProjectWrite) -> Response:
    """Opens a project with its labels."""
    context = caller(request)
    wanted = NewProject(
        name=body.name,
        labels=labels.wanted(body.labels),
        assignee_id=body.assignee_id,
        bug_tracker=body.bug_tracker,
        source_storage=storage(body.source_storage),
        target_storage=storage(body.target_storage),
    )
    project_id = services(request).app.projects.create(context, wanted)
    row = find_one(services(request).database.query, PROJECTS, project_id)
    return json_response(views.project(require(context.actor, "view", "project", row), urls.base(request)), 201)


@router.get("/{project_id}")
def retrieve(request: Request, project_id: int) -> Response:
    """One project."""
    context = caller(request)
    row = find_one(services(request).database.query, PROJECTS, project_id)
    return json_response(views.project(require(context.actor, "view", "project", row), urls.base(request)))


@router.delete("/{project_id}", status_code=204)
def delete(request: Request, project_id: int) -> Response:
    """Deletes a project with its tasks. All of it can be brought back."""
    context = caller(request)
    row = find_one(services(request).database.query, PROJECTS, project_id)
    require(context.actor, "delete", "project", row)
    services(request).app.projects.delete(context, project_id)
    return no_content()
