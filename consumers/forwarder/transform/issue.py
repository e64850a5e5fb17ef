"""Issues and comments."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from consumers.forwarder.transform.row import Row, described, field_updates, person, transforms
from domain.events.issue import (
    CommentAdded,
    CommentDeleted,
    CommentEdited,
    DeletedComment,
    GoneIssue,
    IssueChanged,
    IssueDeleted,
    IssueOpened,
    IssueReopened,
    IssueResolved,
)


@transforms(IssueOpened)
def opened(body: IssueOpened) -> list[Row]:
    payload = {
        **described(body, "frame", "position"),
        "job": body.job_id,
        "owner": person(body.owner_id),
        "assignee": person(body.assignee_id),
        "resolved": False,
    }
    return [Row("create:issue", obj_id=body.issue_id, payload=payload)]


@transforms(IssueChanged)
def changed(body: IssueChanged) -> Iterator[Row]:
    return field_updates("update:issue", body.changes, {"issue": {"id": body.issue_id}})


@transforms(IssueResolved)
@transforms(IssueReopened)
def resolved(body: IssueResolved | IssueReopened) -> Iterator[Row]:
    done = isinstance(body, IssueResolved)
    return field_updates("update:issue", {"resolved": {"from": not done, "to": done}}, {"issue": {"id": body.issue_id}})


@transforms(IssueDeleted)
def deleted(body: IssueDeleted) -> Iterator[Row]:
    """The issue, and each comment that goes with it."""
    yield Row("delete:issue", obj_id=body.issue_id)
    yield from _comments("delete", body.comments)


@transforms(CommentAdded)
def commented(body: CommentAdded) -> list[Row]:
    payload = {"issue": body.issue_id, "owner": person(body.owner_id)}
    return [Row("create:comment", body.message, body.comment_id, payload=payload)]


@transforms(CommentEdited)
def edited(body: CommentEdited) -> Iterator[Row]:
    change = {"from": body.previous, "to": body.message}
    return field_updates("update:comment", {"message": change}, {"comment": {"id": body.comment_id}})


@transforms(CommentDeleted)
def taken_back(body: CommentDeleted) -> list[Row]:
    return [Row("delete:comment", body.message, body.comment_id)]


def gone(issues: Iterable[GoneIssue]) -> Iterator[Row]:
    """Those that went with a job or task: as CVAT has it, each is told of, and each comment."""
    return _with_others("delete", issues)


def back(issues: Iterable[GoneIssue]) -> Iterator[Row]:
    return _with_others("restore", issues)


def _with_others(verb: str, issues: Iterable[GoneIssue]) -> Iterator[Row]:
    for issue in issues:
        yield Row(f"{verb}:issue", obj_id=issue["id"], job_id=issue["job_id"])
        yield from _comments(verb, issue["comments"], issue["job_id"])


def _comments(verb: str, comments: Iterable[DeletedComment], job_id: int | None = None) -> Iterator[Row]:
    return (Row(f"{verb}:comment", comment["message"], comment["id"], job_id=job_id) for comment in comments)
