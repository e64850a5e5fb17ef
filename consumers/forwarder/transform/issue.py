"""Issues and comments."""

from __future__ import annotations

from collections.abc import Iterator

from consumers.forwarder.transform.row import Row, described, field_updates, transforms
from domain.events.issue import (
    CommentAdded,
    CommentDeleted,
    CommentEdited,
    IssueChanged,
    IssueDeleted,
    IssueOpened,
    IssueReopened,
    IssueResolved,
)


@transforms(IssueOpened)
def opened(body: IssueOpened) -> list[Row]:
    payload = described(body, "frame", "position", "owner_id", "assignee_id")
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
    for comment in body.comments:
        yield Row("delete:comment", comment["message"], comment["id"])


@transforms(CommentAdded)
def commented(body: CommentAdded) -> list[Row]:
    return [Row("create:comment", body.message, body.comment_id, payload=described(body, "issue_id", "owner_id"))]


@transforms(CommentEdited)
def edited(body: CommentEdited) -> Iterator[Row]:
    change = {"from": body.previous, "to": body.message}
    return field_updates("update:comment", {"message": change}, {"comment": {"id": body.comment_id}})


@transforms(CommentDeleted)
def taken_back(body: CommentDeleted) -> list[Row]:
    return [Row("delete:comment", body.message, body.comment_id)]
