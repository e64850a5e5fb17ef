"""What happened to tasks, in words."""

from __future__ import annotations

from cli.phrases.words import counted, edits, phrase
from domain.events.task import TaskChanged, TaskCreated, TaskDeleted, TaskMoved, TaskPurged, TaskRestored


@phrase(TaskCreated)
def _(body: TaskCreated) -> str:
    inside = f" in project {body.project_id}" if body.project_id else ""
    return f"created task {body.task_id} “{body.name}”{inside}"


@phrase(TaskChanged)
def _(body: TaskChanged) -> str:
    return f"changed {edits(body.changes)} of task {body.task_id}"


@phrase(TaskMoved)
def _(body: TaskMoved) -> str:
    return f"moved task {body.task_id} to project {body.project_id}"


@phrase(TaskDeleted)
def _(body: TaskDeleted) -> str:
    jobs = f" with {counted(len(body.job_ids), 'job')}" if body.job_ids else ""
    return f"deleted task {body.task_id} “{body.name}”{jobs}"


@phrase(TaskRestored)
def _(body: TaskRestored) -> str:
    jobs = f" with {counted(len(body.job_ids), 'job')}" if body.job_ids else ""
    return f"restored task {body.task_id} “{body.name}”{jobs}"


@phrase(TaskPurged)
def _(body: TaskPurged) -> str:
    return f"purged the data of deleted task {body.task_id} “{body.name}”"
