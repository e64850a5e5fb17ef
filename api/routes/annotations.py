"""Annotations of jobs and of whole tasks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api.authorization import annotator
from api.bodies import RawBody, parsed
from api.caller import caller
from api.errors import PreconditionFailed
from api.moments import MOMENT, moment_of, past_response
from api.numbers import natural
from api.responses import json_bytes, json_response, no_content, text_response
from api.routes.jobs import find_job
from api.routes.tasks import find_task
from api.services import services
from domain.annotation.attributes import conform
from domain.errors import Invalid, VersionConflict
from domain.event import Context
from domain.saves import NOW
from projections import annotation_documents as documents

router = APIRouter(tags=["annotations"])

JOB = "/api/jobs/{job_id}/annotations"
TASK = "/api/tasks/{task_id}/annotations"
ACTIONS = ("create", "update", "delete")
EXPORTING = frozenset({"format", "filename", "location", "cloud_storage_id"})
"""Parameters by which clients of old exported from these addresses."""

OBJECTS = {"type": "array", "items": {"type": "object"}}
DOCUMENT: dict[str, Any] = {
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {"type": "object", "properties": dict.fromkeys(documents.KINDS, OBJECTS)},
            }
        },
    }
}
CHANGE: dict[str, Any] = DOCUMENT | {
    "parameters": [
        {"name": "action", "in": "query", "required": True, "schema": {"type": "string", "enum": list(ACTIONS)}}
    ]
}


@router.get(JOB + "/", include_in_schema=False)
@router.get(JOB, openapi_extra=MOMENT)
def job_annotations(request: Request, job_id: int) -> Response:
    """Everything that stands in the job, in the order of the frames. The `ETag` is its version. With `version` or
    `as_of`: everything as it was then.
    """
    row = find_job(request, caller(request), "view", job_id)
    if not EXPORTING.isdisjoint(request.query_params):
        return text_response(f"This address exports no more: POST /api/jobs/{job_id}/dataset/export does", 410)
    moment = moment_of(request)
    if moment != NOW:
        return past_response(request, services(request).app.annotation_history.job(job_id), moment)
    version = row["annotations_version"]
    content = documents.of_job(services(request).database.query, job_id, version)
    if row["labels_extended"]:
        labels = services(request).app.lookup.job_place(job_id, fresh=True).labels
        return json_response(conform(parsed(content), labels), headers={"ETag": f'"{version}"'})
    return json_bytes(content, headers={"ETag": f'"{version}"'})


@router.put(JOB + "/", include_in_schema=False)
@router.put(JOB, openapi_extra=DOCUMENT)
def replace_job_annotations(request: Request, job_id: int, body: RawBody) -> Response:
    """Everything in the job gives way to the document given. Answers with it, ids filled in."""
    context = caller(request)
    app = services(request).app.annotations
    permit = annotator(context.actor)
    with expected(request) as version:
        return json_response(_answer(app.replace(context, job_id, parsed(body), version, permit)))


@router.patch(JOB + "/", include_in_schema=False)
@router.patch(JOB, openapi_extra=CHANGE)
def change_job_annotations(request: Request, job_id: int, body: RawBody) -> Response:
    """`action`: create adds objects, update redraws those with an id, delete removes them. Two people who do this at
    the same time both succeed; who wants to be stopped instead says `If-Match: "<version>"`.
    """
    context = caller(request)
    app = services(request).app.annotations
    commands = {"create": app.create, "update": app.update, "delete": app.delete}
    command = commands[_action(request)]
    permit = annotator(context.actor)
    with expected(request) as version:
        return json_response(_answer(command(context, job_id, parsed(body), version, permit)))


@router.delete(JOB + "/", include_in_schema=False)
@router.delete(JOB, status_code=204)
def clear_job_annotations(request: Request, job_id: int) -> Response:
    """Removes everything in the job."""
    context = caller(request)
    with expected(request) as version:
        services(request).app.annotations.clear(context, job_id, version, annotator(context.actor))
    return no_content()


@router.get(TASK + "/", include_in_schema=False)
@router.get(TASK, openapi_extra=MOMENT)
def task_annotations(request: Request, task_id: int) -> Response:
    """The annotations of all jobs of the task; what stands in the overlap of two jobs is shown once. With `version`
    (of the task's history) or `as_of`: everything as it was then.
    """
    row = _task_with_data(request, caller(request), "view", task_id)
    if not EXPORTING.isdisjoint(request.query_params):
        return text_response(f"This address exports no more: POST /api/tasks/{task_id}/dataset/export does", 410)
    moment = moment_of(request)
    if moment != NOW:
        return past_response(request, services(request).app.annotation_history.task(task_id), moment)
    document = documents.of_task(services(request).database.query, task_id)
    if row["labels_extended"]:
        place = next(iter(services(request).app.lookup.task_places(task_id)))
        document = conform(document, place.labels)
    return json_response(document)


@router.put(TASK + "/", include_in_schema=False)
@router.put(TASK, openapi_extra=DOCUMENT)
def replace_task_annotations(request: Request, task_id: int, body: RawBody) -> Response:
    """Every job gets what falls into its frames."""
    context = caller(request)
    _task_with_data(request, context, "annotate", task_id)
    services(request).app.annotations.replace_in_task(context, task_id, parsed(body))
    return json_response(documents.of_task(services(request).database.query, task_id))


@router.patch(TASK + "/", include_in_schema=False)
@router.patch(TASK, openapi_extra=CHANGE)
def change_task_annotations(request: Request, task_id: int, body: RawBody) -> Response:
    """As for a job, cut by the jobs' frames; update and delete find the objects' jobs by their ids."""
    context = caller(request)
    _task_with_data(request, context, "annotate", task_id)
    app = services(request).app.annotations
    commands = {"create": app.create_in_task, "update": app.update_in_task, "delete": app.delete_in_task}
    return json_response(_answer(commands[_action(request)](context, task_id, parsed(body))))


@router.delete(TASK + "/", include_in_schema=False)
@router.delete(TASK, status_code=204)
def clear_task_annotations(request: Request, task_id: int) -> Response:
    """Removes everything in the task's jobs."""
    context = caller(request)
    _task_with_data(request, context, "annotate", task_id)
    services(request).app.annotations.clear_task(context, task_id)
    return no_content()


def _task_with_data(request: Request, context: Context, action: Any, task_id: int) -> dict[str, Any]:
    row = find_task(request, context, action, task_id)
    if row["size"] is None:
        raise Invalid(["The task has no data yet"])
    return row


def _action(request: Request) -> str:
    action = request.query_params.get("action", "")
    if action not in ACTIONS:
        raise Invalid({"action": [f'Must be one of {", ".join(ACTIONS)}, not "{action[:50]}".']})
    return action


@contextmanager
def expected(request: Request) -> Iterator[int | None]:
    """The version in `If-Match`; None when any will do. Raises PreconditionFailed when it no longer stands."""
    version = _if_match(request)
    try:
        yield version
    except VersionConflict as error:
        if version is None:
            raise
        raise PreconditionFailed(error.stream, error.expected, error.actual) from error


def _if_match(request: Request) -> int | None:
    text = request.headers.get("if-match", "").strip().strip('"')
    if text in ("", "*"):
        return None
    version = natural(text)
    if version is None:
        raise Invalid(["If-Match must be the version that the ETag of a GET gave"])
    return version


def _answer(document: dict[str, Any]) -> dict[str, Any]:
    return {"version": 0, "tags": [], "shapes": [], "tracks": [], "intervals": []} | document
