"""Events in words: what happened, as one who owns the product would say it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import parse_qsl

from domain.event import Body, Event
from domain.events.annotations import AnnotationsChanged, AnnotationsCleared, AnnotationsReplaced, AnnotationsRestored
from domain.events.data import DataUploaded, FilesReceived, FramesAdded, JobsSplit, UploadStarted
from domain.events.job import JobAssigned, JobCreated, JobDeleted, JobRestored, JobStateChanged
from domain.events.label import LabelBody, LabelChanged, LabelDeleted, LabelRestored, LabelsAdded
from domain.events.project import ProjectChanged, ProjectCreated, ProjectDeleted, ProjectRestored
from domain.events.request import LeaseExpired, RequestFailed, RequestFinished, RequestQueued, RequestStarted
from domain.events.task import TaskChanged, TaskCreated, TaskDeleted, TaskPurged, TaskRestored
from domain.events.user import UserLoggedIn, UserLoggedOut, UserPasswordChanged, UserRegistered

B = TypeVar("B", bound=Body)
Phrase = Callable[[Any], str]

PHRASES: dict[type[Body], Phrase] = {}

NAMES = {"tags": "tag", "shapes": "shape", "tracks": "track", "intervals": "interval"}
MAX_NAMED = 3
"""Of a list of names, so many are told."""


def phrase(cls: type[B]) -> Callable[[Callable[[B], str]], Callable[[B], str]]:
    """Register the words for an event type: what comes behind the name of who did it."""

    def register(function: Callable[[B], str]) -> Callable[[B], str]:
        PHRASES[cls] = function
        return function

    return register


def sentence(event: Event) -> str:
    """`admin created task 1 “photos”`."""
    return f"{who(event)} {PHRASES[type(event.body)](event.body)}"


def who(event: Event) -> str:
    """Processing work was done by an agent, whoever asked for it."""
    if event.meta.source in ("worker", "agent"):
        return "agent"
    if event.meta.actor is not None:
        return event.meta.actor
    return "operator" if event.meta.source == "cli" else "Annals"


@phrase(UserRegistered)
def _(body: UserRegistered) -> str:
    return f"registered {'administrator' if body.is_admin else 'user'} {body.username}"


@phrase(UserPasswordChanged)
def _(body: UserPasswordChanged) -> str:
    return f"changed the password of user {body.user_id}"


@phrase(UserLoggedIn)
def _(_body: UserLoggedIn) -> str:
    return "logged in"


@phrase(UserLoggedOut)
def _(_body: UserLoggedOut) -> str:
    return "logged out"


@phrase(ProjectCreated)
def _(body: ProjectCreated) -> str:
    return f"created project {body.project_id} “{body.name}”"


@phrase(ProjectChanged)
def _(body: ProjectChanged) -> str:
    return f"changed {_edits(body.changes)} of project {body.project_id}"


@phrase(ProjectDeleted)
def _(body: ProjectDeleted) -> str:
    return f"deleted project {body.project_id} “{body.name}”"


@phrase(ProjectRestored)
def _(body: ProjectRestored) -> str:
    return f"restored project {body.project_id} “{body.name}”"


@phrase(TaskCreated)
def _(body: TaskCreated) -> str:
    inside = f" in project {body.project_id}" if body.project_id else ""
    return f"created task {body.task_id} “{body.name}”{inside}"


@phrase(TaskChanged)
def _(body: TaskChanged) -> str:
    return f"changed {_edits(body.changes)} of task {body.task_id}"


@phrase(TaskDeleted)
def _(body: TaskDeleted) -> str:
    jobs = f" with {_count(len(body.job_ids), 'job')}" if body.job_ids else ""
    return f"deleted task {body.task_id} “{body.name}”{jobs}"


@phrase(TaskRestored)
def _(body: TaskRestored) -> str:
    jobs = f" with {_count(len(body.job_ids), 'job')}" if body.job_ids else ""
    return f"restored task {body.task_id} “{body.name}”{jobs}"


@phrase(TaskPurged)
def _(body: TaskPurged) -> str:
    return f"purged the data of deleted task {body.task_id} “{body.name}”"


@phrase(LabelsAdded)
def _(body: LabelsAdded) -> str:
    names = [f"“{label['name']}”" for label in body.labels]
    return f"gave {_parent(body)} {'the label' if len(names) == 1 else 'the labels'} {_some(names)}"


@phrase(LabelChanged)
def _(body: LabelChanged) -> str:
    return f"changed {_edits(body.changes)} of label “{body.label['name']}” of {_parent(body)}"


@phrase(LabelDeleted)
def _(body: LabelDeleted) -> str:
    return f"deleted label “{body.name}” of {_parent(body)}, with all that was drawn under it"


@phrase(LabelRestored)
def _(body: LabelRestored) -> str:
    return f"restored label “{body.name}” of {_parent(body)}, with all that was drawn under it"


@phrase(UploadStarted)
def _(body: UploadStarted) -> str:
    return f"began to send files for task {body.task_id} anew"


@phrase(FilesReceived)
def _(body: FilesReceived) -> str:
    size = sum(file["size"] for file in body.files) / 1e6
    names = _some([file["name"] for file in body.files])
    return f"sent {_count(len(body.files), 'file')} ({size:,.1f} MB) for task {body.task_id}: {names}"


@phrase(DataUploaded)
def _(body: DataUploaded) -> str:
    return f"prepared the data of task {body.task_id}: {_count(body.size, 'frame')}"


@phrase(FramesAdded)
def _(body: FramesAdded) -> str:
    return f"put {_frames(body.first, body.first + len(body.frames) - 1)} into task {body.task_id}"


@phrase(JobsSplit)
def _(body: JobsSplit) -> str:
    return f"split task {body.task_id} into {_count(body.job_count, 'job')}"


@phrase(JobCreated)
def _(body: JobCreated) -> str:
    return f"created job {body.job_id} of task {body.task_id}: {_frames(body.start_frame, body.stop_frame)}"


@phrase(JobAssigned)
def _(body: JobAssigned) -> str:
    if body.assignee_id is None:
        return f"took job {body.job_id} back"
    return f"handed job {body.job_id} to {body.assignee or f'user {body.assignee_id}'}"


@phrase(JobStateChanged)
def _(body: JobStateChanged) -> str:
    before = f"{body.previous_stage}, {body.previous_state}"
    return f"moved job {body.job_id} from “{before}” to “{body.stage}, {body.state}”"


@phrase(JobDeleted)
def _(body: JobDeleted) -> str:
    return f"deleted job {body.job_id}"


@phrase(JobRestored)
def _(body: JobRestored) -> str:
    return f"restored job {body.job_id}"


@phrase(AnnotationsChanged)
def _(body: AnnotationsChanged) -> str:
    return f"{_changes(body) or 'changed nothing'} in job {body.job_id}"


@phrase(AnnotationsReplaced)
def _(body: AnnotationsReplaced) -> str:
    created = {kind: len(objects) for kind, objects in body.created.items()}
    if not body.removed:
        return f"drew {_objects(created)} in job {body.job_id}"
    return f"replaced the {_objects(_counted(body.removed))} in job {body.job_id} by {_objects(created)}"


@phrase(AnnotationsCleared)
def _(body: AnnotationsCleared) -> str:
    return f"removed everything in job {body.job_id}: {_objects(_counted(body.removed))}"


@phrase(AnnotationsRestored)
def _(body: AnnotationsRestored) -> str:
    return f"restored version {body.version} of the annotations in job {body.job_id}: {_changes(body)}"


@phrase(RequestQueued)
def _(body: RequestQueued) -> str:
    return f"asked to {_work(body.request_id)}"


@phrase(RequestStarted)
def _(body: RequestStarted) -> str:
    again = f" (attempt {body.attempt})" if body.attempt > 1 else ""
    return f"began to {_work(body.request_id)}{again}"


@phrase(LeaseExpired)
def _(body: LeaseExpired) -> str:
    return f"took back from a silent agent the request to {_work(body.request_id)}"


@phrase(RequestFinished)
def _(body: RequestFinished) -> str:
    return f"finished the request to {_work(body.request_id)}"


@phrase(RequestFailed)
def _(body: RequestFailed) -> str:
    return f"could not {_work(body.request_id)}: {body.message}"


def _work(request_id: str) -> str:
    """What a request is about, from its id (`action=create&target=task&target_id=7`)."""
    parts = dict(parse_qsl(request_id))
    action, target = parts.get("action", "do"), parts.get("target", "")
    number = parts.get("target_id") or parts.get("id", "")
    if (action, target) == ("create", "task"):
        return f"prepare the data of task {number}"
    what = f"{parts['subresource']} of {target}" if "subresource" in parts else target
    return f"{action} {what} {number}".strip() if target else f"do {request_id}"


def _frames(first: int, last: int) -> str:
    return f"frame {first}" if first == last else f"frames {first} to {last}"


def _parent(body: LabelBody) -> str:
    return f"task {body.task_id}" if body.task_id else f"project {body.project_id}"


def _edits(changes: Mapping[str, Mapping[str, Any]]) -> str:
    """`name from “a” to “b”`; what is not a short text or a number is only named."""
    return _list([_edit(name.removesuffix("_id"), change) for name, change in changes.items()])


def _edit(name: str, change: Mapping[str, Any]) -> str:
    before, after = change.get("from"), change.get("to")
    words = name.replace("_", " ")
    if all(isinstance(value, (str, int, type(None))) for value in (before, after)):
        return f"the {words} from {_value(before)} to {_value(after)}"
    return f"the {words}"


def _value(value: str | int | None) -> str:
    if value in (None, ""):
        return "nothing"
    return f"“{value}”" if isinstance(value, str) else str(value)


def _changes(body: AnnotationsChanged | AnnotationsRestored) -> str:
    removed = {kind: sum(map(len, types.values())) for kind, types in body.removed.items()}
    created = {kind: len(objects) for kind, objects in body.created.items()}
    updated = {kind: len(objects) for kind, objects in body.updated.items()}
    done = [("drew", created), ("redrew", updated), ("removed", removed)]
    return _list([f"{verb} {_objects(counts)}" for verb, counts in done if any(counts.values())])


def _counted(counts: Mapping[str, Mapping[str, int]]) -> dict[str, int]:
    return {kind: sum(types.values()) for kind, types in counts.items()}


def _objects(counts: Mapping[str, int]) -> str:
    return _list([_count(counts[kind], NAMES[kind]) for kind in NAMES if counts.get(kind)]) or "nothing"


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _some(names: list[str]) -> str:
    more = len(names) - MAX_NAMED
    return _list(names) if more <= 0 else f"{', '.join(names[:MAX_NAMED])} and {more:,} more"


def _list(parts: list[str]) -> str:
    """`a, b and c`."""
    return " and ".join([", ".join(parts[:-1]), parts[-1]]) if len(parts) > 1 else "".join(parts)
