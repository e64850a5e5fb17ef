"""What reviewers say about a job: issues, each a place on a frame with a conversation. Stream: `issue-<id>`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypedDict

from domain.event import Body, event_type, upcaster


class IssueBody(Body):
    __slots__ = ()
    issue_id: int

    @property
    def stream(self) -> str:
        return f"issue-{self.issue_id}"


@event_type("IssueOpened")
@dataclass(frozen=True)
class IssueOpened(IssueBody):
    """Somebody found something to talk about. `frame`: task-relative; `position`: x, y, x, y … in pixels. What they
    said about it follows as `CommentAdded`.
    """

    issue_id: int
    job_id: int
    task_id: int
    project_id: int | None
    frame: int
    position: list[float]
    owner_id: int | None
    assignee_id: int | None


@event_type("IssueChanged")
@dataclass(frozen=True)
class IssueChanged(IssueBody):
    """An issue was put elsewhere or handed to somebody. `changes`: field → {"from": old, "to": new}; for
    a user with their `name`.
    """

    issue_id: int
    job_id: int
    task_id: int
    project_id: int | None
    changes: dict[str, dict[str, Any]]


@event_type("IssueResolved")
@dataclass(frozen=True)
class IssueResolved(IssueBody):
    """What an issue was about is done."""

    issue_id: int
    job_id: int
    task_id: int
    project_id: int | None


@event_type("IssueReopened")
@dataclass(frozen=True)
class IssueReopened(IssueBody):
    """A resolved issue turned out not to be done."""

    issue_id: int
    job_id: int
    task_id: int
    project_id: int | None


class DeletedComment(TypedDict):
    """A comment as it was last; `message` is None where version 1 of an event did not say it."""

    id: int
    message: str | None


class GoneIssue(TypedDict):
    """An issue that went, or came back, with its job or task; its comments as they were last."""

    id: int
    job_id: int
    comments: list[DeletedComment]


@event_type("IssueDeleted", version=2)
@dataclass(frozen=True)
class IssueDeleted(IssueBody):
    """An issue was taken away, with its comments."""

    issue_id: int
    job_id: int
    task_id: int
    project_id: int | None
    comments: list[DeletedComment]


@upcaster("IssueDeleted", 1)
def _with_comments(fields: dict[str, Any]) -> dict[str, Any]:
    """Version 1 had the comments' ids alone."""
    others = {name: value for name, value in fields.items() if name != "comment_ids"}
    return {**others, "comments": [DeletedComment(id=number, message=None) for number in fields["comment_ids"]]}


@event_type("CommentAdded")
@dataclass(frozen=True)
class CommentAdded(IssueBody):
    """Somebody said something about an issue."""

    comment_id: int
    issue_id: int
    job_id: int
    task_id: int
    project_id: int | None
    owner_id: int | None
    message: str


@event_type("CommentEdited")
@dataclass(frozen=True)
class CommentEdited(IssueBody):
    """Somebody put a comment in other words."""

    comment_id: int
    issue_id: int
    job_id: int
    task_id: int
    project_id: int | None
    message: str
    previous: str


@event_type("CommentDeleted", version=2)
@dataclass(frozen=True)
class CommentDeleted(IssueBody):
    """A comment was taken back. `message`: what it said last; None where version 1 did not say it."""

    comment_id: int
    issue_id: int
    job_id: int
    task_id: int
    project_id: int | None
    message: str | None


@upcaster("CommentDeleted", 1)
def _with_message(fields: dict[str, Any]) -> dict[str, Any]:
    """Version 1 did not say what is gone."""
    return {**fields, "message": None}
