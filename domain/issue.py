"""Issues: what reviewers find in a job, each with its comments."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from domain.edits import differences
from domain.errors import Invalid, NotFound
from domain.event import Body, Context
from domain.events.issue import (
    CommentAdded,
    CommentDeleted,
    CommentEdited,
    DeletedComment,
    IssueChanged,
    IssueDeleted,
    IssueOpened,
    IssueReopened,
    IssueResolved,
)
from domain.job import known_username
from domain.ports import Log
from domain.retry import decide_again

MAX_COMMENTS = 1_000
"""Of one issue."""


@dataclass(frozen=True)
class Issue:
    """What decisions need to know of an issue. `fields`: what may be edited; `comments`: id → message."""

    job_id: int
    fields: dict[str, Any]
    resolved: bool = False
    comments: Mapping[int, str] = field(default_factory=dict)


def evolve(issue: Issue | None, body: Body) -> Issue | None:
    if isinstance(body, IssueOpened):
        return Issue(body.job_id, {"position": body.position, "assignee_id": body.assignee_id})
    if issue is None or isinstance(body, IssueDeleted):
        return None
    match body:
        case IssueChanged():
            return replace(issue, fields=issue.fields | {name: change["to"] for name, change in body.changes.items()})
        case IssueResolved() | IssueReopened():
            return replace(issue, resolved=isinstance(body, IssueResolved))
        case CommentAdded() | CommentEdited():
            return replace(issue, comments={**issue.comments, body.comment_id: body.message})
        case CommentDeleted():
            return replace(
                issue, comments={key: text for key, text in issue.comments.items() if key != body.comment_id}
            )
    return issue


class Found(NamedTuple):
    """An issue as a decision found it. `place`: what it belongs to now, as every event about it says. `versions`: of
    the streams that must not move meanwhile.
    """

    issue: Issue
    place: dict[str, Any]
    versions: Mapping[str, int]


@dataclass(frozen=True)
class NewIssue:
    """An issue as asked for. `position`: x, y, x, y … in pixels."""

    job_id: int
    frame: int
    position: list[float]
    message: str
    assignee_id: int | None = None
    resolved: bool = False


class Issues:
    """The use cases of issues and comments."""

    def __init__(self, log: Log) -> None:
        self._log = log

    @decide_again
    def open(self, context: Context, wanted: NewIssue) -> int:
        """Returns the issue's id. Raises NotFound for an unknown job, Invalid."""
        known_username(self._log, "assignee", wanted.assignee_id)
        job = self._log.lookup.job_place(wanted.job_id, fresh=True)
        issue_id = self._log.ids.one("issue")
        owner_id = context.actor.user_id
        place = (job.job_id, job.task_id, job.project_id)
        bodies: list[Body] = [
            IssueOpened(issue_id, *place, wanted.frame, wanted.position, owner_id, wanted.assignee_id),
            CommentAdded(self._log.ids.one("comment"), issue_id, *place, owner_id, wanted.message),
        ]
        if wanted.resolved:
            bodies.append(IssueResolved(issue_id, *place))
        self._log.record(context, bodies, {**job.versions, f"issue-{issue_id}": 0})
        return issue_id

    @decide_again
    def update(
        self, context: Context, issue_id: int, wanted: Mapping[str, Any], *, resolved: bool | None = None
    ) -> None:
        """`wanted`: `position` or `assignee_id` or both. Raises NotFound, Invalid."""
        issue, place, versions = self._require(issue_id)
        name = known_username(self._log, "assignee", wanted.get("assignee_id"))
        changes = differences(issue.fields, wanted, {"assignee_id": name})
        bodies: list[Body] = [IssueChanged(**place, changes=changes)] if changes else []
        if resolved is not None and resolved != issue.resolved:
            bodies.append(IssueResolved(**place) if resolved else IssueReopened(**place))
        if bodies:
            self._log.record(context, bodies, versions)

    @decide_again
    def delete(self, context: Context, issue_id: int) -> None:
        """With its comments. Raises NotFound."""
        issue, place, versions = self._require(issue_id)
        comments = [DeletedComment(id=number, message=text) for number, text in sorted(issue.comments.items())]
        body = IssueDeleted(**place, comments=comments)
        self._log.record(context, [body], versions)

    @decide_again
    def comment(self, context: Context, issue_id: int, message: str) -> int:
        """Returns the comment's id. Raises NotFound, and Invalid for an issue that has too many."""
        issue, place, versions = self._require(issue_id)
        if len(issue.comments) >= MAX_COMMENTS:
            raise Invalid([f"An issue can't have more than {MAX_COMMENTS} comments"])
        body = CommentAdded(
            comment_id=self._log.ids.one("comment"), **place, owner_id=context.actor.user_id, message=message
        )
        self._log.record(context, [body], versions)
        return body.comment_id

    @decide_again
    def edit_comment(self, context: Context, issue_id: int, comment_id: int, message: str) -> None:
        """Raises NotFound."""
        issue, place, versions = self._require(issue_id, comment_id)
        previous = issue.comments[comment_id]
        if message != previous:
            body = CommentEdited(comment_id=comment_id, **place, message=message, previous=previous)
            self._log.record(context, [body], versions)

    @decide_again
    def delete_comment(self, context: Context, issue_id: int, comment_id: int) -> None:
        """Raises NotFound."""
        issue, place, versions = self._require(issue_id, comment_id)
        body = CommentDeleted(comment_id=comment_id, **place, message=issue.comments[comment_id])
        self._log.record(context, [body], versions)

    def _require(self, issue_id: int, comment_id: int | None = None) -> Found:
        """Raises NotFound, also for a comment that there is not, and when the job was deleted."""
        issue, version = self._log.load(f"issue-{issue_id}", evolve, None)
        if issue is None or (comment_id is not None and comment_id not in issue.comments):
            raise NotFound
        job = self._log.lookup.job_place(issue.job_id, fresh=True)  # its task may have gone to a project meanwhile
        place = {"issue_id": issue_id, "job_id": job.job_id, "task_id": job.task_id, "project_id": job.project_id}
        return Found(issue, place, {**job.versions, f"issue-{issue_id}": version})
