"""Issues and comments: what is recorded of them."""

from __future__ import annotations

import pytest

from domain.errors import Invalid, NotFound
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
from domain.events.job import JobDeleted
from domain.events.task import TaskMoved
from domain.issue import MAX_COMMENTS, Issues, NewIssue

from . import given
from .given import ANN
from .memory_log import MemoryLog

WANTED = NewIssue(5, 2, [1.0, 2.0], "Is this a cat?")
PLACE = {"issue_id": 1, "job_id": 5, "task_id": 7, "project_id": None}


@pytest.fixture
def issues(log: MemoryLog) -> Issues:
    log.given(given.user(), given.task(7), given.job(5))
    return Issues(log)


def test_an_issue_begins_with_what_was_said(log: MemoryLog, issues: Issues) -> None:
    assert issues.open(ANN, WANTED) == 1
    assert log.then == [
        IssueOpened(1, 5, 7, None, 2, [1.0, 2.0], 1, None),
        CommentAdded(1, 1, 5, 7, None, 1, "Is this a cat?"),
    ]


def test_an_issue_needs_a_job_and_an_assignee_that_exist(log: MemoryLog, issues: Issues) -> None:
    with pytest.raises(NotFound):
        issues.open(ANN, NewIssue(6, 2, [], "?"))
    with pytest.raises(Invalid):
        issues.open(ANN, NewIssue(5, 2, [], "?", assignee_id=9))
    assert log.then == []


def test_only_what_changes_is_recorded(log: MemoryLog, issues: Issues) -> None:
    issues.open(ANN, WANTED)
    issues.update(ANN, 1, {"position": [1.0, 2.0], "assignee_id": 1}, resolved=True)
    issues.update(ANN, 1, {"assignee_id": 1}, resolved=True)
    issues.update(ANN, 1, {}, resolved=False)
    assert log.then[2:] == [
        IssueChanged(**PLACE, changes={"assignee_id": {"from": None, "to": 1, "name": "ann"}}),
        IssueResolved(**PLACE),
        IssueReopened(**PLACE),
    ]


def test_comments_are_edited_and_taken_back(log: MemoryLog, issues: Issues) -> None:
    issues.open(ANN, WANTED)
    comment_id = issues.comment(ANN, 1, "A dog.")
    issues.edit_comment(ANN, 1, comment_id, "A dog?")
    issues.edit_comment(ANN, 1, comment_id, "A dog?")
    issues.delete_comment(ANN, 1, comment_id)
    assert log.then[3:] == [
        CommentEdited(2, **PLACE, message="A dog?", previous="A dog."),
        CommentDeleted(2, **PLACE, message="A dog?"),
    ]
    with pytest.raises(NotFound):
        issues.edit_comment(ANN, 1, comment_id, "?")


def test_a_deleted_issue_is_gone_with_its_comments(log: MemoryLog, issues: Issues) -> None:
    issues.open(ANN, WANTED)
    issues.comment(ANN, 1, "A dog.")
    issues.delete(ANN, 1)
    comments = [{"id": 1, "message": "Is this a cat?"}, {"id": 2, "message": "A dog."}]
    assert log.then[3:] == [IssueDeleted(**PLACE, comments=comments)]
    for command in (
        lambda: issues.delete(ANN, 1),
        lambda: issues.comment(ANN, 1, "?"),
        lambda: issues.update(ANN, 1, {}, resolved=True),
        lambda: issues.delete_comment(ANN, 1, 1),
    ):
        with pytest.raises(NotFound):
            command()


def test_two_comments_at_a_time_both_stand(log: MemoryLog, issues: Issues) -> None:
    issues.open(ANN, WANTED)
    log.meanwhile(lambda: issues.comment(ANN, 1, "first"))
    issues.comment(ANN, 1, "second")
    assert [body.message for body in log.then if isinstance(body, CommentAdded)][1:] == ["first", "second"]


def test_a_conversation_has_an_end(log: MemoryLog, issues: Issues) -> None:
    issues.open(ANN, WANTED)
    log.given(*[CommentAdded(n, 1, 5, 7, None, 1, "!") for n in range(2, MAX_COMMENTS + 1)])
    with pytest.raises(Invalid):
        issues.comment(ANN, 1, "one more")


def test_events_say_where_the_issue_belongs_now(log: MemoryLog, issues: Issues) -> None:
    issues.open(ANN, WANTED)
    log.given(given.project(3), TaskMoved(7, 3, None, [5], [], []))
    issues.update(ANN, 1, {}, resolved=True)
    comment_id = issues.comment(ANN, 1, "A dog.")
    issues.edit_comment(ANN, 1, comment_id, "A dog?")
    issues.delete_comment(ANN, 1, comment_id)
    issues.delete(ANN, 1)
    assert {body.project_id for body in log.then[2:]} == {3}


def test_an_issue_goes_with_its_job(log: MemoryLog, issues: Issues) -> None:
    issues.open(ANN, WANTED)
    log.given(JobDeleted(5, 7, None, "annotation", "new"))
    with pytest.raises(NotFound):
        issues.comment(ANN, 1, "Still there?")
