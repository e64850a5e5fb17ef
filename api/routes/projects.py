"""Projects."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import urls
from api.authorization import Action, require
from api.caller import caller
from api.finding import find_resource
from api.media import frames
from api.paging import page_response
from api.responses import json_response, no_content
from api.schemas import labels
from api.schemas.common import storage
from api.schemas.tasks import ProjectPatch, ProjectWrite
from api.services import services
from api.views import projects as views
from domain.event import Context
from domain.project import NewProject
from projections.named_queries import queries
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
    row = find_project(request, context, "view", project_id)
    return json_response(views.project(row, urls.base(request)), 201)


@router.get("/{project_id}")
def retrieve(request: Request, project_id: int) -> Response:
    """One project."""
    context = caller(request)
    row = find_project(request, context, "view", project_id)
    return json_response(views.project(row, urls.base(request)))


@router.patch("/{project_id}")
def update(request: Request, project_id: int, body: ProjectPatch) -> Response:
    """Changes some fields of a project, and its labels."""
    context = caller(request)
    fields = body.fields()
    row = find_project(request, context, "update", project_id)
    if fields.keys() & {"owner_id", "assignee_id"}:
        require(context.actor, "assign", "project", row)
    services(request).app.projects.update(context, project_id, fields, labels.edits(body.labels))
    row = find_project(request, context, "view", project_id)
    return json_response(views.project(row, urls.base(request)))


@router.delete("/{project_id}", status_code=204)
def delete(request: Request, project_id: int) -> Response:
    """Deletes a project with its tasks. All of it can be brought back."""
    context = caller(request)
    find_project(request, context, "delete", project_id)
    services(request).app.projects.delete(context, project_id)
    return no_content()


@router.get("/{project_id}/preview")
async def preview(request: Request, project_id: int) -> Response:
    """A small JPEG of the first frame of the first task with data. Without one 404; 204 for clients that say
    `Prefer: handling=empty`.
    """

    def find() -> dict[str, Any]:
        find_project(request, caller(request), "view", project_id)
        query_one = services(request).database.query_one
        task = query_one(queries("projects")["first_task_with_data"], {"project_id": project_id})
        data = query_one(queries("data")["of_task"], {"id": task["id"]}) if task else None
        if data is None:
            raise frames.NoData
        return data

    return await frames.preview_response(request, find)


def find_project(request: Request, context: Context, action: Action, project_id: int) -> dict[str, Any]:
    """The project's row. Raises NotFound, Forbidden."""
    return find_resource(request, context, "project", action, project_id)
