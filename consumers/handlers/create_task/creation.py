"""The handler: from a request to the events that give a task its frames and jobs."""

from __future__ import annotations

from consumers.handlers.create_task.pictures import prepare_pictures
from consumers.handlers.create_task.sources import find_files
from consumers.handlers.create_task.validation import checked
from consumers.handlers.create_task.videos import prepare_video
from consumers.handlers.handler import Outcome, Tools
from domain.data_params import check_job_file_mapping, parse_data_params
from domain.errors import NotFound
from domain.request import Request
from domain.task import Task


def create_task(tools: Tools, request: Request) -> Outcome:
    """Checks, sorts and selects the frames, and cuts them into jobs. Raises MediaError, Invalid, NotFound."""
    assert request.queued.task_id is not None
    data = tools.app.data
    task, version = _task(tools, request.queued.task_id)
    params = parse_data_params(request.queued.params)
    params.required_image_quality()  # before any file is looked at
    with find_files(tools, params, data.received(task.task_id)) as files:
        check_job_file_mapping(params, task.segment_size, video=files.media.video is not None)
        prepare = prepare_pictures if files.media.video is None else prepare_video
        prepared = checked(prepare(tools, task, params, files), params)
    events = data.prepared(task, prepared)
    # The task may be deleted meanwhile, or be given to another project.
    return Outcome(events, expect={f"task-{task.task_id}": version})


def _task(tools: Tools, task_id: int) -> tuple[Task, int]:
    try:
        return tools.app.tasks.require(task_id)
    except NotFound:
        raise NotFound(f"Task {task_id} was deleted") from None
