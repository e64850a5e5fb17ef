"""What becomes of issues and comments in the analytics."""

from __future__ import annotations

import pytest

from consumers.forwarder.transform.row import Row, rows_of
from domain.event import Body
from domain.events.issue import CommentDeleted, DeletedComment, GoneIssue, IssueDeleted
from domain.events.job import JobDeleted, JobRestored
from domain.events.task import TaskDeleted, TaskRestored

PLACE = {"issue_id": 3, "job_id": 11, "task_id": 7, "project_id": None}


def test_a_comment_that_goes_says_what_it_said() -> None:
    assert rows_of(CommentDeleted(comment_id=4, **PLACE, message="A cat?")) == [Row("delete:comment", "A cat?", 4)]


def test_so_do_those_that_go_with_their_issue() -> None:
    comments = [DeletedComment(id=4, message="A cat?"), DeletedComment(id=5, message=None)]
    assert rows_of(IssueDeleted(**PLACE, comments=comments)) == [
        Row("delete:issue", obj_id=3),
        Row("delete:comment", "A cat?", 4),
        Row("delete:comment", None, 5),
    ]


ISSUES = [
    GoneIssue(id=3, job_id=11, comments=[DeletedComment(id=4, message="A cat?"), DeletedComment(id=5, message="No.")]),
    GoneIssue(id=6, job_id=12, comments=[]),
]


@pytest.mark.parametrize(
    ("verb", "body"),
    [
        ("delete", TaskDeleted(7, 2, "cats", [11, 12], [], ISSUES)),
        ("restore", TaskRestored(7, 2, "cats", [11, 12], 99, [], ISSUES)),
        ("delete", JobDeleted(11, 7, None, "annotation", "new", ISSUES)),
        ("restore", JobRestored(11, 7, None, "annotation", "new", 99, ISSUES)),
    ],
    ids=lambda value: value.type_name if isinstance(value, Body) else value,
)
def test_issues_go_and_come_back_with_their_job_or_task(verb: str, body: Body) -> None:
    assert rows_of(body)[-4:] == [
        Row(f"{verb}:issue", obj_id=3, job_id=11),
        Row(f"{verb}:comment", "A cat?", 4, job_id=11),
        Row(f"{verb}:comment", "No.", 5, job_id=11),
        Row(f"{verb}:issue", obj_id=6, job_id=12),
    ]
    assert not any("issue" in row.scope or "comment" in row.scope for row in rows_of(body)[:-4])
