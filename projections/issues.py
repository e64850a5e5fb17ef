"""Issues and their comments as they stand now."""

from __future__ import annotations

from domain.event import Event
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
from projections.changes import Changes, Table
from projections.projection import Projection

ISSUES = Table("issues")
COMMENTS = Table("comments", groups=("issue_id",))

projection = Projection("issues", 1, (ISSUES, COMMENTS))


@projection.on(IssueOpened)
def opened(body: IssueOpened, event: Event, changes: Changes) -> None:
    changes.insert(
        ISSUES,
        {
            "id": body.issue_id,
            "job_id": body.job_id,
            "frame": body.frame,
            "position": body.position,
            "owner_id": body.owner_id,
            "assignee_id": body.assignee_id,
            "resolved": False,
            "comment_count": 0,
            "created_date": event.meta.time,
            "updated_date": event.meta.time,
        },
    )


@projection.on(IssueChanged)
def changed(body: IssueChanged, event: Event, changes: Changes) -> None:
    new = {field: change["to"] for field, change in body.changes.items()}
    changes.update(ISSUES, body.issue_id, **new, updated_date=event.meta.time)


@projection.on(IssueResolved, IssueReopened)
def resolved(body: IssueResolved | IssueReopened, event: Event, changes: Changes) -> None:
    is_resolved = isinstance(body, IssueResolved)
    changes.update(ISSUES, body.issue_id, resolved=is_resolved, updated_date=event.meta.time)


@projection.on(IssueDeleted)
def deleted(body: IssueDeleted, event: Event, changes: Changes) -> None:
    changes.delete(ISSUES, body.issue_id)
    changes.delete_group(COMMENTS, "issue_id", body.issue_id)


@projection.on(CommentAdded)
def commented(body: CommentAdded, event: Event, changes: Changes) -> None:
    changes.insert(
        COMMENTS,
        {
            "id": body.comment_id,
            "issue_id": body.issue_id,
            "owner_id": body.owner_id,
            "message": body.message,
            "created_date": event.meta.time,
            "updated_date": event.meta.time,
        },
    )
    changes.add(ISSUES, body.issue_id, comment_count=1)


@projection.on(CommentEdited)
def edited(body: CommentEdited, event: Event, changes: Changes) -> None:
    changes.update(COMMENTS, body.comment_id, message=body.message, updated_date=event.meta.time)


@projection.on(CommentDeleted)
def taken_back(body: CommentDeleted, event: Event, changes: Changes) -> None:
    changes.delete(COMMENTS, body.comment_id)
    changes.add(ISSUES, body.issue_id, comment_count=-1)


@projection.on(CommentAdded, CommentEdited, CommentDeleted)
def touched(body: CommentAdded, event: Event, changes: Changes) -> None:
    """What is said about an issue moves its `updated_date`."""
    changes.update(ISSUES, body.issue_id, updated_date=event.meta.time)
