"""What happened to issues and comments, in words."""

from __future__ import annotations

from cli.phrases.words import counted, edits, phrase
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


@phrase(IssueOpened)
def _(body: IssueOpened) -> str:
    return f"opened issue {body.issue_id} on frame {body.frame} of job {body.job_id}"


@phrase(IssueChanged)
def _(body: IssueChanged) -> str:
    return f"changed {edits(body.changes)} of issue {body.issue_id}"


@phrase(IssueResolved)
def _(body: IssueResolved) -> str:
    return f"resolved issue {body.issue_id} of job {body.job_id}"


@phrase(IssueReopened)
def _(body: IssueReopened) -> str:
    return f"reopened issue {body.issue_id} of job {body.job_id}"


@phrase(IssueDeleted)
def _(body: IssueDeleted) -> str:
    return f"deleted issue {body.issue_id} of job {body.job_id} with {counted(len(body.comments), 'comment')}"


@phrase(CommentAdded)
def _(body: CommentAdded) -> str:
    return f"commented on issue {body.issue_id}"


@phrase(CommentEdited)
def _(body: CommentEdited) -> str:
    return f"edited a comment on issue {body.issue_id}"


@phrase(CommentDeleted)
def _(body: CommentDeleted) -> str:
    return f"took back a comment on issue {body.issue_id}"
