"""Who drew what and when in a job or a task, and bringing it back."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter, Request
from starlette.responses import Response

from api import moments
from api.authorization import annotator
from api.caller import caller
from api.paging import asked_page, envelope
from api.responses import json_response
from api.routes.annotations import JOB, TASK, expected
from api.routes.jobs import find_job
from api.routes.tasks import find_task
from api.schemas.annotations import RestoreAnnotations
from api.services import services
from api.views import annotation_history as views
from domain.annotation_history import AnnotationHistory, Subject
from domain.errors import Invalid, NotFound
from domain.saves import NOW, Moment

router = APIRouter(tags=["annotations"])

VERSION = {"schema": {"type": "integer", "minimum": 0}, "in": "query"}
RANGE: dict[str, Any] = {"parameters": [VERSION | {"name": "from", "required": True}, VERSION | {"name": "to"}]}


@router.get(JOB + "/history")
def job_history(request: Request, job_id: int) -> Response:
    """Every save, the last first: its version, who, when, through what client, how many objects."""
    return _history(request, _job(request, job_id))


@router.get(TASK + "/history")
def task_history(request: Request, task_id: int) -> Response:
    """The same over all jobs of a task. `version` is the position in the log."""
    return _history(request, _task(request, task_id))


@router.get(JOB + "/history/{kind}/{object_id}")
def object_history(request: Request, job_id: int, kind: str, object_id: int) -> Response:
    """The life of one object, the last step first. `kind`: tag, shape, track or interval."""
    subject = _job(request, job_id)
    if kind not in views.NOUNS:
        raise NotFound(f'There is no kind of objects "{kind[:50]}": write {", ".join(views.NOUNS)}')
    steps = _of(request).life(subject, views.NOUNS[kind], object_id)
    number, size = asked_page(request)
    start = (number - 1) * (size or 0)
    page = steps[::-1][start : start + size if size else None]
    return _page(request, len(steps), [views.step(step) for step in page], number, size)


@router.get(JOB + "/diff", openapi_extra=RANGE)
def job_difference(request: Request, job_id: int) -> Response:
    """What leads from one version to another; without `to`, to what stands now."""
    return _difference(request, _job(request, job_id))


@router.get(TASK + "/diff", openapi_extra=RANGE)
def task_difference(request: Request, task_id: int) -> Response:
    """The same over all jobs of a task, as each job holds its objects. Versions are those of the task's history."""
    return _difference(request, _task(request, task_id))


@router.post(JOB + "/restore")
def restore_job(request: Request, job_id: int, body: RestoreAnnotations) -> Response:
    """The annotations become what they were, ids included. What came after stays in the history and can be brought back
    in the same way.
    """
    context, app = caller(request), services(request).app.annotation_restoration
    with expected(request) as version:
        result = app.restore(context, job_id, _moment(body), version, annotator(context.actor))
    return json_response(views.restored(result), headers={"ETag": f'"{result.version}"'})


@router.post(TASK + "/restore")
def restore_task(request: Request, task_id: int, body: RestoreAnnotations) -> Response:
    """The same for all jobs of a task, in one save."""
    context = caller(request)
    find_task(request, context, "annotate", task_id)
    result = services(request).app.annotation_restoration.restore_task(context, task_id, _moment(body))
    return json_response(views.restored(result))


def _of(request: Request) -> AnnotationHistory:
    return services(request).app.annotation_history


def _job(request: Request, job_id: int) -> Subject:
    find_job(request, caller(request), "view", job_id)
    return _of(request).job(job_id)


def _task(request: Request, task_id: int) -> Subject:
    find_task(request, caller(request), "view", task_id)
    return _of(request).task(task_id)


def _history(request: Request, subject: Subject) -> Response:
    number, size = asked_page(request)
    total, changes = _of(request).changes(subject, size, (number - 1) * (size or 0))
    rows = [views.change(change, subject.task_id is not None) for change in changes]
    return _page(request, total, rows, number, size)


def _page(request: Request, total: int, rows: list[dict[str, Any]], number: int, size: int | None) -> Response:
    if number > 1 and not rows:
        raise NotFound("Invalid page.")
    return json_response(envelope(request, total, rows, number, size))


def _difference(request: Request, subject: Subject) -> Response:
    query = request.query_params
    if not query.get("from"):
        raise Invalid({"from": ["This field is required."]})
    start = Moment(moments.version_in("from", query["from"]))
    end = Moment(moments.version_in("to", query["to"])) if query.get("to") else NOW
    return json_response(views.difference(*_of(request).difference(subject, start, end)))


def _moment(body: RestoreAnnotations) -> Moment:
    """Raises Invalid unless exactly one is given."""
    moment = moments.moment(body.version, body.as_of)
    if moment == NOW:
        raise Invalid(["Give version or as_of: what is to be restored"])
    return moment
