"""Who may do what: one question, asked before each command and each answer about one resource.

Today's rule is simple: admins may do everything; a task's or project's owner and assignee ("staff") may work with it in
every way, but only the owner, and for a task the project's staff, may give it away or delete it; a job's assignee may
work in the job.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

from domain.errors import Forbidden, NotFound
from domain.event import Actor
from domain.ports import JobPlace

Action = Literal["view", "update", "delete", "annotate", "assign", "upload", "restore"]
Row = dict[str, Any]
"""A resource as it is listed (`projections.resources`)."""


def may(actor: Actor, action: Action, noun: str, row: Row) -> bool:
    if actor.is_admin:
        return True
    people = OWNERS.get((noun, action)) or STAFF[noun]
    if actor.user_id in {row.get(name) for name in people} - {None}:
        return True
    return action in ALLOWED.get(noun, ()) and actor.user_id in {row[name] for name in OTHERS[noun]}


OTHERS = {
    "job": ("assignee_id",),
    "issue": ("job_assignee_id",),
    "comment": ("job_assignee_id", "issue_owner_id", "issue_assignee_id"),
}
"""Who else has a part in it, and what they may do with it."""
ALLOWED: dict[str, tuple[Action, ...]] = {
    "job": ("view", "update", "annotate"),
    "issue": ("view", "update", "delete"),
    "comment": ("view",),
}
OF_JOB = ("task_owner_id", "task_assignee_id", "project_owner_id", "project_assignee_id")
STAFF = {
    "project": ("owner_id", "assignee_id"),
    "task": ("owner_id", "assignee_id", "project_owner_id", "project_assignee_id"),
    "job": OF_JOB,
    "issue": ("owner_id", "assignee_id", *OF_JOB),
    "comment": ("owner_id", *OF_JOB),
    "deleted": ("owner_id", "assignee_id", "project_owner_id", "project_assignee_id"),
    "request": ("owner_id",),
    "user": ("id",),
}


OF_TASK = ("owner_id", "project_owner_id", "project_assignee_id")
OWNERS: dict[tuple[str, Action], tuple[str, ...]] = {
    ("project", "delete"): ("owner_id",),
    ("project", "assign"): ("owner_id",),
    ("task", "delete"): OF_TASK,
    ("task", "assign"): OF_TASK,
}
"""Where not all of the staff may."""


def require(actor: Actor, action: Action, noun: str, row: Row | None) -> Row:
    """The row, if there is one and the actor may. Raises NotFound, Forbidden."""
    if row is None:
        raise NotFound
    if not may(actor, action, noun, row):
        raise Forbidden
    return row


def annotator(actor: Actor) -> Callable[[JobPlace], None]:
    """The same question for drawing in a job, asked when the command has looked the job up. Raises Forbidden."""

    def permit(place: JobPlace) -> None:
        if not (actor.is_admin or actor.user_id in place.staff or actor.user_id == place.assignee_id):
            raise Forbidden

    return permit
